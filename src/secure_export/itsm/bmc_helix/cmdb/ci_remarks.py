"""What is to be said of CIs beyond their binding: why one that is in the CMDB was not bound.

Binding knows only what can be bound. That a CI is there and not reconciled is known when it is looked up, and told when
a record is written: it becomes a reason of the work item.
"""

from collections import OrderedDict
from collections.abc import Iterable

from secure_export.workitems.work_item import Binding

_MOST_KEPT = 5_000


class CiRemarks:
    """Remembers why things were not bound; the longest unused are forgotten first."""

    def __init__(self) -> None:
        self._why: OrderedDict[str, str] = OrderedDict()

    def note(self, key: str, why: str) -> None:
        """Remember why what was looked for was not bound, though something was found.

        Args:
            key: What was looked for: a name, or a resource id in normal form.
            why: A sentence for people.
        """
        self._why[key.lower()] = why
        self._why.move_to_end(key.lower())
        while len(self._why) > _MOST_KEPT:
            self._why.popitem(last=False)

    def forget(self, key: str) -> None:
        """Forget it, because the CI can be bound now, or is gone."""
        self._why.pop(key.lower(), None)

    def of(self, bindings: Iterable[Binding]) -> tuple[str, ...]:
        """Say what there is to say of bindings."""
        said = (self._of(binding) for binding in bindings)
        return tuple(dict.fromkeys(one for one in said if one))

    def _of(self, binding: Binding) -> str:
        if binding.id is not None:
            return ""
        name = binding.name.lower()
        host = name.partition(".")[0]
        return next((why for key in (name, name.rpartition("/")[2], host) if (why := self._why.get(key, ""))), "")
