"""Tells Azure what people did with a work item: its alerts become Acknowledged or Closed there.

What was done stays owed until Azure has it, whatever ends in between: the store lists it until it is written down as
told. The state in Azure only ever goes forward, so that nothing that people did there is taken back; and it is never
read as an act of people here, so that nothing goes round in a circle.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from secure_export.azure.alert_state.path import path_of, subscription_in
from secure_export.azure.api import AzureApi
from secure_export.azure.errors import AzureRefused, NotSignedIn

_VERSION: Final = "2019-03-01"
_AT_A_TIME: Final = 100
_FORWARD: Final = ("New", "Acknowledged", "Closed")
_THROTTLED: Final = 429
# One alert may be refused by itself; so many in a row mean that nothing in the subscription will be done now.
_REFUSALS_IN_A_ROW: Final = 20
_STATE_OF: Final = {"acknowledged": "Acknowledged", "resolved": "Closed"}


class Act(Protocol):
    """What people did with a work item (``secure_export.delivery.contract.UntoldAct``)."""

    @property
    def place(self) -> int:
        """Where it stands in the list."""
        ...

    @property
    def work_item(self) -> str:
        """The work item's id."""
        ...

    @property
    def connection(self) -> str:
        """Its connection."""
        ...

    @property
    def number(self) -> str:
        """What people call it."""
        ...

    @property
    def act(self) -> Any:
        """``acknowledged`` or ``resolved``."""
        ...

    @property
    def alert_ids(self) -> tuple[str, ...]:
        """Its alerts that still fire."""
        ...


class Acts(Protocol):
    """What the store tells of acts (``secure_export.delivery.contract.Upkeep``)."""

    async def untold_acts(self, *, after: int, limit: int) -> Sequence[Act]:
        """List what Azure was not told yet."""
        ...

    async def act_told(self, work_item: str, act: Any) -> None:
        """Write down that it was told."""
        ...


@dataclass(slots=True)
class Told:
    """What a run did.

    Attributes:
        changed: Alerts whose state was changed.
        kept: Alerts that had the state already, or are not in this API any more.
        put_off: Work items left for another run: Azure refused, or the run's calls were used up.
    """

    changed: int = 0
    kept: int = 0
    put_off: int = 0


class Telling:
    """Tells Azure.

    Args:
        acts: What is to be told.
        manager_for: Gives Azure Resource Manager, signed in, for a subscription; None where no tenant of ours has it.
        calls: How many calls a run makes at most; Azure allows 1,000 a minute and subscription, and others call, too.
        refused: Told of a work item that Azure refused, or in whose tenant nobody could sign in, and why.
    """

    def __init__(
        self,
        acts: Acts,
        manager_for: Callable[[str], AzureApi | None],
        *,
        calls: int = 300,
        refused: Callable[[Act, AzureRefused | NotSignedIn], None] | None = None,
    ) -> None:
        self._acts = acts
        self._manager_for = manager_for
        self._calls = calls
        self._refused = refused or (lambda _, __: None)
        self._refusals: dict[str, int] = {}

    async def run(self) -> Told:
        """Tell Azure what it was not told yet.

        A subscription in which Azure refuses one act after the other is not asked further in this run: thousands there
        would use up the calls for others.

        Raises:
            AzureUnreachable: Azure does not answer; what is left is told by the next run.
            StoreUnavailable: The store cannot be read or written.
        """
        told, after, left = Told(), 0, self._calls
        self._refusals.clear()
        while acts := await self._acts.untold_acts(after=after, limit=_AT_A_TIME):
            for act in acts:
                after = act.place
                if left <= 0:
                    told.put_off += 1
                    continue
                if self._is_closed(act):
                    told.put_off += 1
                    continue
                try:
                    left -= await self._tell(act, told)
                except (AzureRefused, NotSignedIn) as error:
                    told.put_off += 1
                    left -= 1
                    self._refused(act, error)
                else:
                    await self._acts.act_told(act.work_item, act.act)
            if left <= 0:
                break
        return told

    def _is_closed(self, act: Act) -> bool:
        counts = (self._refusals.get(subscription_in(path), 0) for path in _paths(act.alert_ids))
        return any(count >= _REFUSALS_IN_A_ROW for count in counts)

    async def _tell(self, act: Act, told: Told) -> int:
        """Tell of one work item; how many calls that took."""
        calls = 0
        for path in _paths(act.alert_ids):
            subscription = subscription_in(path)
            manager = self._manager_for(subscription)
            if manager is None:
                told.kept += 1
                continue
            try:
                made, has_changed = await _bring_forward(manager, path, _STATE_OF[act.act], _comment(act))
            except (AzureRefused, NotSignedIn) as error:
                is_one = isinstance(error, AzureRefused) and error.status != _THROTTLED
                self._refusals[subscription] = self._refusals.get(subscription, 0) + (
                    1 if is_one else _REFUSALS_IN_A_ROW
                )
                raise
            self._refusals.pop(subscription, None)
            calls += made
            told.changed += has_changed
            told.kept += not has_changed
        return calls


async def _bring_forward(manager: AzureApi, path: str, state: str, comment: str) -> tuple[int, bool]:
    """Change an alert's state if that goes forward; how many calls it took, and whether it was changed.

    An alert that is not there is older than thirty days (Azure Monitor docs, "Manage your alert instances"): nobody can
    change it any more.
    """
    try:
        answer = await manager.call("GET", path, query={"api-version": _VERSION})
        if not _goes_forward(answer.body, state):
            return 1, False
        query = {"api-version": _VERSION, "newState": state}
        await manager.call("POST", f"{path}/changestate", query=query, json={"comments": comment})
    except AzureRefused as error:
        if error.is_missing:
            return 1, False
        raise
    return 2, True


def _goes_forward(alert: Any, state: str) -> bool:
    try:
        now = alert["properties"]["essentials"]["alertState"]
    except (KeyError, TypeError):
        return True
    return now not in _FORWARD or _FORWARD.index(now) < _FORWARD.index(state)


def _paths(alert_ids: Collection[str]) -> list[str]:
    return list(dict.fromkeys(path for one in alert_ids if (path := path_of(one)) is not None))


def _comment(act: Act) -> str:
    return f"Work item {act.number or act.work_item} was {act.act} by a person (connection {act.connection})."
