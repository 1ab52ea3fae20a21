"""The one gate: every door of the service lets in whom this lets in, and nobody else."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta

from secure_export.clock import Clock, utc_now
from secure_export.identity import mistakes
from secure_export.identity.authority import TokenVersion
from secure_export.identity.caller import Caller
from secure_export.identity.claim_checks import Door, Presented, check_claims
from secure_export.identity.key_fetch import Fetch, fetch_document
from secure_export.identity.key_ring import KeyRing, KeyTimes
from secure_export.identity.key_upkeep import KeyUpkeep, Sleep
from secure_export.identity.remembered import RememberedTokens
from secure_export.identity.settings import IdentitySettings
from secure_export.identity.signature import check_signature
from secure_export.identity.tenant_rules import TenantRules, rules_of
from secure_export.identity.token_text import UncheckedToken, read_token


class Gate:
    """Checks tokens. All calls come from one event loop."""

    def __init__(
        self,
        settings: IdentitySettings,
        *,
        clock: Clock = utc_now,
        fetch: Fetch = fetch_document,
        sleep: Sleep = asyncio.sleep,
        on_keys_age: Callable[[str, float], None] | None = None,
    ) -> None:
        """Make a gate that has no keys yet; ``start`` fetches them, and so does the first token.

        Args:
            settings: Whose tokens are let in.
            clock: The time.
            fetch: Gets a document by its URL.
            sleep: How the background waits.
            on_keys_age: Told every few seconds how old the keys of each tenant are (``Metrics.keys_aged``).
        """
        self._clock = clock
        self._on_keys_age = on_keys_age
        self._remembered = RememberedTokens()
        self._rules = {rules.tenant_id: rules for rules in rules_of(settings)}
        times = KeyTimes(
            refresh=timedelta(seconds=settings.key_refresh_seconds), ttl=timedelta(seconds=settings.key_ttl_seconds)
        )
        self._rings: Mapping[tuple[str, TokenVersion], KeyRing] = {
            (source.tenant_id, source.version): KeyRing(source, fetch, clock, times, self._remembered.forget_all)
            for rules in self._rules.values()
            for source in rules.key_sources
        }
        self._upkeep = KeyUpkeep(tuple(self._rings.values()), sleep=sleep, report=self._report_ages)

    async def start(self) -> None:
        """Fetch the keys and keep them fresh in the background. That they cannot be fetched now is no error."""
        await self._upkeep.start()

    async def stop(self) -> None:
        """Stop refreshing."""
        await self._upkeep.stop()

    async def refresh(self) -> None:
        """Fetch all keys now; ``ready`` says whether that worked."""
        await asyncio.gather(*(ring.refresh() for ring in self._rings.values()))

    async def ready(self) -> str | None:
        """Say what is wrong, None while tokens of some tenant and version can be checked.

        One tenant whose keys cannot be fetched must not take the others' alerts from this process.
        """
        wrong = self.troubles()
        return "; ".join(wrong) if len(wrong) == len(self._rings) else None

    def troubles(self) -> list[str]:
        """Say of each tenant and version whose tokens cannot be checked why not."""
        return [trouble for ring in self._rings.values() if (trouble := ring.trouble) is not None]

    def keys_age(self) -> dict[str, float]:
        """Give, by tenant, how many seconds ago its oldest keys in use were fetched; without those that have none."""
        ages: dict[str, float] = {}
        for (tenant_id, _), ring in self._rings.items():
            if ring.age_seconds is not None:
                ages[tenant_id] = max(ring.age_seconds, ages.get(tenant_id, 0.0))
        return ages

    def remembered(self, authorization: bytes) -> Caller | None:
        """Give the caller whom this header let in to send alerts, if that was a moment ago and still is so.

        Only the webhook's door remembers: a token that came in through another door is not found here.
        """
        return self._remembered.get(authorization, self._clock())

    async def admit(self, authorization: Sequence[bytes], *, roles: Collection[str] | None = None) -> Caller:
        """Check the token of a request, all of it.

        Args:
            authorization: The values of all its ``Authorization`` headers.
            roles: None for the webhook: the caller must be one of ``callers``, call by itself, and carry ``role``.
                For any other door the app roles of which the token must carry one; any application may come then, also
                on behalf of a signed-in user, because the role was assigned to that application or user by name, in a
                tenant that may operate (``operators``). An empty collection lets nobody in.

        Raises:
            Refusal: The caller is not let in.
        """
        token = read_token(authorization)
        rules, ring = self._issuer_of(token)
        issuer, key = await ring.key(token.key_id)
        check_signature(token, key)
        now = self._clock()
        caller = check_claims(
            Presented(
                claims=token.claims,
                version=ring.source.version,
                issuer=issuer,
                rules=rules,
                door=_door(rules, roles),
                now=now.timestamp(),
            )
        )
        if roles is None:
            self._remembered.keep(authorization[0], caller, now)
        return caller

    def _issuer_of(self, token: UncheckedToken) -> tuple[TenantRules, KeyRing]:
        """Find whose keys must have signed the token, from what it says itself; a lie only picks the wrong keys."""
        tenant_id, version = token.claims.get("tid"), token.claims.get("ver")
        rules = self._rules.get(tenant_id) if isinstance(tenant_id, str) else None
        if rules is None:
            raise mistakes.wrong_tenant(tenant_id, self._rules)
        if version not in list(rules.audiences):
            raise mistakes.wrong_version(version, rules.audiences)
        return rules, self._rings[rules.tenant_id, TokenVersion(version)]

    def _report_ages(self) -> None:
        if self._on_keys_age is not None:
            for tenant_id, seconds in self.keys_age().items():
                self._on_keys_age(tenant_id, seconds)


def _door(rules: TenantRules, roles: Collection[str] | None) -> Door:
    if roles is None:
        return Door(callers=rules.callers, roles=frozenset({rules.role}), for_operators=False)
    return Door(callers=None, roles=frozenset(roles), for_operators=True)
