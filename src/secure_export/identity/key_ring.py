"""The signing keys in use for one tenant and version: cached, refreshed, and kept when a refresh fails.

The rules are those of the Microsoft identity platform docs, "Signing key rollover": a key is good for a day after it
was last seen, keys are refreshed every hour, and an unknown key id is looked up at most every five minutes, so that
tokens with invented ids cannot make us fetch.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from joserfc.jwk import RSAKey

from secure_export.clock import Clock
from secure_export.identity.authority import KeySource
from secure_export.identity.caller import Refusal
from secure_export.identity.key_fetch import Fetch
from secure_export.identity.refusals import Why, cannot_tell, not_authenticated
from secure_export.identity.signing_keys import KeysNotUsable, SigningKeys, read_keys, read_metadata

log = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS = 5
_jitter = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """When keys are fetched and how long they are good.

    Attributes:
        refresh: From one fetch in the background to the next.
        ttl: For how long keys are used after they were last fetched.
        unknown_key: The least time between two fetches for unknown key ids.
        after_failure: The least time between a failed fetch and the next one that somebody waits for.
        retry: From a failed fetch in the background to the next, while there are keys; without any, ``after_failure``.
        surely_all: For how long after a fetch a key that was not in it is surely none of the tenant's.
    """

    refresh: timedelta = timedelta(hours=1)
    ttl: timedelta = timedelta(hours=24)
    unknown_key: timedelta = timedelta(minutes=5)
    after_failure: timedelta = timedelta(seconds=5)
    retry: timedelta = timedelta(minutes=1)
    surely_all: timedelta = timedelta(seconds=5)


class KeyRing:
    """The keys of one source. All calls come from one event loop."""

    def __init__(
        self,
        source: KeySource,
        fetch: Fetch,
        clock: Clock,
        times: KeyTimes,
        on_change: Callable[[], None],
    ) -> None:
        self.source = source
        self._fetch = fetch
        self._clock = clock
        self._times = times
        self._on_change = on_change
        self._keys: SigningKeys | None = None
        self._fetched_at: datetime | None = None
        self._failed_at: datetime | None = None
        self._asked_at: datetime | None = None
        self._due_at: datetime | None = None
        self._failure = "they were not fetched yet"
        self._flight: asyncio.Task[bool] | None = None

    @property
    def is_due(self) -> bool:
        """Whether it is time for a refresh in the background."""
        return self._due_at is None or self._clock() >= self._due_at

    @property
    def age_seconds(self) -> float | None:
        """How long ago the keys in use were fetched; None when there are none."""
        if self._usable() is None or self._fetched_at is None:
            return None
        return max(0.0, (self._clock() - self._fetched_at).total_seconds())

    @property
    def trouble(self) -> str | None:
        """What is wrong, None while there are keys that may be used."""
        if self._usable() is not None:
            return None
        return (
            f"no signing keys of tenant {self.source.tenant_id} for version {self.source.version.value} tokens: "
            f"{self._failure}"
        )

    async def key(self, key_id: str) -> tuple[str, RSAKey]:
        """Give the issuer and the key of this id, after looking again if it is not known.

        Raises:
            Refusal: There is no such key (401), or that cannot be told now (503).
        """
        keys = self._usable()
        if keys is None or key_id not in keys.by_id:
            await self._look_again(key_id)
            keys = self._usable()
        if keys is None or key_id not in keys.by_id:
            raise self._missing(key_id)
        return keys.issuer, keys.by_id[key_id]

    async def refresh(self) -> bool:
        """Fetch the keys; whoever calls while a fetch is under way waits for that one. Tells whether it worked."""
        if self._flight is None:
            self._flight = asyncio.create_task(self._load())
            self._flight.add_done_callback(self._landed)
        flight = self._flight
        # Not awaited itself: who goes away while waiting must not end it for the others.
        await asyncio.wait({flight})
        return not flight.cancelled() and flight.result()

    async def close(self) -> None:
        """Give up a fetch that is under way."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait({self._flight})

    def _usable(self) -> SigningKeys | None:
        if self._fetched_at is None or self._clock() - self._fetched_at >= self._times.ttl:
            return None
        return self._keys

    async def _look_again(self, key_id: str) -> None:
        if self._flight is not None:
            # It may have been started before the key was published, hence what follows.
            await self.refresh()
        keys = self._usable()
        if (keys is not None and key_id in keys.by_id) or not self._may_ask(keys):
            return
        self._asked_at = None if keys is None else self._clock()
        await self.refresh()

    def _may_ask(self, keys: SigningKeys | None) -> bool:
        """Tell whether somebody who waits may cause a fetch."""
        now = self._clock()
        if _within(self._failed_at, self._times.after_failure, now):
            return False
        return keys is None or not _within(self._asked_at, self._times.unknown_key, now)

    def _missing(self, key_id: str) -> Refusal:
        tenant, version = self.source.tenant_id, self.source.version.value
        trouble = self.trouble
        if trouble is not None:
            return cannot_tell(Why.NO_KEYS, f"There are {trouble}", RETRY_AFTER_SECONDS)
        why_not_sure = self._why_not_sure()
        if why_not_sure is not None:
            return cannot_tell(
                Why.KEYS_NOT_REFRESHED,
                f"The token's key {key_id} is not among the signing keys of tenant {tenant}, and newer ones were not "
                f"fetched: {why_not_sure}",
                RETRY_AFTER_SECONDS,
            )
        return not_authenticated(
            Why.UNKNOWN_KEY,
            f"Tenant {tenant} publishes no signing key {key_id} for version {version} tokens. They were looked up "
            f"within the last {self._times.surely_all.total_seconds():g} s. The token was not made by this tenant.",
        )

    def _why_not_sure(self) -> str | None:
        """Say why the tenant may have keys that are not known here; None: it has no others."""
        if self._failed_at is not None:
            return self._failure
        if _within(self._fetched_at, self._times.surely_all, self._clock()):
            return None
        # A stranger's unsigned token can put the brake on, a moment before the tenant publishes a key.
        return (
            f"for unknown ids they are fetched once in {self._times.unknown_key.total_seconds():g} s, which was done."
        )

    async def _load(self) -> bool:
        try:
            metadata = read_metadata(await self._fetch(self.source.metadata_url), self.source)
            keys = read_keys(await self._fetch(metadata.keys_url), self.source, metadata)
        except KeysNotUsable as error:
            self._failed(str(error))
        except Exception as error:
            log.exception("signing keys fetch broke", tenant=self.source.tenant_id)
            self._failed(f"the program failed ({type(error).__name__}); the log says more.")
        else:
            self._succeeded(keys)
            return True
        return False

    def _failed(self, reason: str) -> None:
        now = self._clock()
        self._failed_at = now
        self._asked_at = None
        self._failure = reason
        wait = self._times.after_failure if self._usable() is None else self._times.retry
        self._due_at = now + wait
        log.warning(
            "signing keys not refreshed",
            tenant=self.source.tenant_id,
            token_version=self.source.version.value,
            reason=reason,
            age_seconds=self.age_seconds,
        )

    def _succeeded(self, keys: SigningKeys) -> None:
        now = self._clock()
        before = self._keys
        self._keys = keys
        self._fetched_at = now
        self._failed_at = None
        self._due_at = now + self._times.refresh * _jitter.uniform(0.9, 1.0)
        if keys.same_as(before):
            log.debug("signing keys refreshed", tenant=self.source.tenant_id, token_version=self.source.version.value)
            return
        self._log_change(keys, before)
        self._on_change()

    def _log_change(self, keys: SigningKeys, before: SigningKeys | None) -> None:
        known = set(before.by_id) if before is not None else set()
        log.info(
            "signing keys changed",
            tenant=self.source.tenant_id,
            token_version=self.source.version.value,
            added=sorted(set(keys.by_id) - known),
            removed=sorted(known - set(keys.by_id)),
        )

    def _landed(self, _flight: asyncio.Task[bool]) -> None:
        self._flight = None


def _within(since: datetime | None, least: timedelta, now: datetime) -> bool:
    """Tell whether less than ``least`` has passed. A clock that was set back counts as enough."""
    return since is not None and timedelta(0) <= now - since < least
