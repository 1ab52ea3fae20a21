"""Signing keys: cached, refreshed in the background, looked up again with a brake, kept when a fetch fails."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import structlog
from tests.unit.identity.stand_in import (
    OTHER_TENANT,
    TENANT,
    PaperEntra,
    SettableClock,
    bearer,
    claims,
    gate_with,
    good_token,
    header,
    is_let_in,
    jwk,
    refused,
    settings,
    token_of,
)
from tests.unit.keys import rsa_key

from secure_export.identity.gate import Gate

ROLLED = bearer(token_of(header(kid="second"), claims(), rsa_key("second")))
UNKNOWN = bearer(token_of(header(kid="nobody"), claims(), rsa_key("attacker")))
GOOD = bearer(good_token())


@pytest.fixture
def entra() -> PaperEntra:
    """Publish one key."""
    return PaperEntra()


@pytest.fixture
def clock() -> SettableClock:
    """Stand still at noon."""
    return SettableClock()


@pytest.fixture
def gate(entra: PaperEntra, clock: SettableClock) -> Gate:
    """Let in version 2.0 only, so that one set of keys is all there is."""
    return gate_with(entra, clock, versions="2.0")


def roll(entra: PaperEntra) -> None:
    """Publish another key beside the first."""
    entra.keys[TENANT] = [jwk("second"), jwk()]


class TestUnknownKey:
    """A key id that is not known is looked up at once, but not as often as somebody invents one."""

    async def test_a_new_key_is_found_at_once(self, gate: Gate, entra: PaperEntra) -> None:
        """Rolling keys refuses no alert."""
        await gate.admit(GOOD)
        roll(entra)
        assert await is_let_in(gate, ROLLED)
        assert await is_let_in(gate, GOOD)

    async def test_it_is_found_at_once_right_after_a_refresh_in_the_background(
        self, gate: Gate, entra: PaperEntra
    ) -> None:
        """Only look-ups for unknown keys count for the brake."""
        await gate.refresh()
        roll(entra)
        assert await is_let_in(gate, ROLLED)

    async def test_invented_ids_cause_one_fetch_in_five_minutes(
        self, gate: Gate, entra: PaperEntra, clock: SettableClock
    ) -> None:
        """However many come, and whatever they are answered."""
        await gate.admit(GOOD)
        codes = {(await refused(gate, UNKNOWN)).code for _ in range(50)}
        assert (codes, entra.key_fetches) == ({"unknown-key"}, 2)
        clock.pass_time(seconds=299)
        await refused(gate, UNKNOWN)
        assert entra.key_fetches == 2
        clock.pass_time(seconds=1)
        assert (await refused(gate, UNKNOWN)).code == "unknown-key"
        assert entra.key_fetches == 3

    async def test_a_stranger_cannot_have_a_new_key_refused(
        self, gate: Gate, entra: PaperEntra, clock: SettableClock
    ) -> None:
        """Anybody can put the brake on with an unsigned token; a key that is published then is 503, never 401."""
        await gate.admit(GOOD)
        assert (await refused(gate, UNKNOWN)).status == 401
        roll(entra)
        clock.pass_time(seconds=5)
        for _ in range(3):
            refusal = await refused(gate, ROLLED)
            assert (refusal.status, refusal.code) == (503, "keys-not-refreshed")
            assert refusal.retry_after_seconds == 5
            assert refusal.authenticate is None
            assert "once in 300 s" in refusal.detail
        assert entra.key_fetches == 2

    async def test_a_key_is_found_once_the_brake_is_off(
        self, gate: Gate, entra: PaperEntra, clock: SettableClock
    ) -> None:
        """At the latest five minutes after an attack on the brake."""
        await gate.admit(GOOD)
        await refused(gate, UNKNOWN)
        roll(entra)
        clock.pass_time(minutes=4, seconds=59)
        assert (await refused(gate, ROLLED)).status == 503
        clock.pass_time(seconds=1)
        assert await is_let_in(gate, ROLLED)

    async def test_the_brake_is_per_tenant(self, clock: SettableClock) -> None:
        """One tenant's strangers do not keep another's new key out."""
        entra = PaperEntra({TENANT: [jwk()], OTHER_TENANT: [jwk()]})
        gate = gate_with(entra, clock, tenant_id=None, tenants=[{"tenant_id": TENANT}, {"tenant_id": OTHER_TENANT}])
        await gate.refresh()
        await refused(gate, UNKNOWN)
        entra.keys[OTHER_TENANT] = [jwk("second")]
        theirs = token_of(header(kid="second"), claims(tenant=OTHER_TENANT), rsa_key("second"))
        assert await is_let_in(gate, bearer(theirs))

    async def test_when_it_cannot_be_looked_up_the_answer_is_503(
        self, gate: Gate, entra: PaperEntra, clock: SettableClock
    ) -> None:
        """Azure sends again after 503; 401 would drop an alert that a new key has signed."""
        await gate.admit(GOOD)
        roll(entra)
        entra.fails = True
        for _ in range(3):
            refusal = await refused(gate, ROLLED)
            assert (refusal.status, refusal.code) == (503, "keys-not-refreshed")
            assert refusal.retry_after_seconds == 5
            assert refusal.authenticate is None
        assert len(entra.asked) == 3, "a failed look-up is tried again after seconds, not at once"
        entra.fails = False
        clock.pass_time(seconds=5)
        assert await is_let_in(gate, ROLLED)

    async def test_once_it_can_be_looked_up_again_it_is_401_again(
        self, gate: Gate, entra: PaperEntra, clock: SettableClock
    ) -> None:
        """A failure that is over excuses nobody."""
        await gate.admit(GOOD)
        entra.fails = True
        assert (await refused(gate, UNKNOWN)).status == 503
        entra.fails = False
        await gate.refresh()
        assert (await refused(gate, UNKNOWN)).status == 401

    async def test_a_clock_that_is_set_back_does_not_hold_the_brake(
        self, gate: Gate, entra: PaperEntra, clock: SettableClock
    ) -> None:
        """Otherwise a correction of the clock by a day would refuse new keys for a day."""
        await gate.admit(GOOD)
        await refused(gate, UNKNOWN)
        clock.pass_time(minutes=-4)
        roll(entra)
        assert await is_let_in(gate, ROLLED)


class TestNoKeys:
    """Without keys nobody can be judged: 503, never 401."""

    async def test_the_answer_is_503(self, gate: Gate, entra: PaperEntra) -> None:
        """For good tokens and bad ones alike, and readiness says why."""
        entra.fails = True
        for authorization in (GOOD, UNKNOWN):
            refusal = await refused(gate, authorization)
            assert (refusal.status, refusal.code) == (503, "no-keys")
            assert refusal.retry_after_seconds == 5
            assert "is away" in refusal.detail
        assert "is away" in str(await gate.ready())

    async def test_a_failed_first_fetch_is_tried_again_after_seconds(
        self, gate: Gate, entra: PaperEntra, clock: SettableClock
    ) -> None:
        """Not after five minutes: alerts wait."""
        entra.fails = True
        for _ in range(20):
            await refused(gate, GOOD)
        assert len(entra.asked) == 1
        entra.fails = False
        clock.pass_time(seconds=5)
        assert await is_let_in(gate, GOOD)
        assert await gate.ready() is None

    async def test_what_no_key_could_help_is_refused_without_any(self, gate: Gate, entra: PaperEntra) -> None:
        """Tokens of other tenants and other forms cost no fetch."""
        entra.fails = True
        strangers = [good_token(tid=OTHER_TENANT), good_token("1.0"), b"x.y.z", good_token(tid=...)]
        assert [(await refused(gate, bearer(token))).status for token in strangers] == [401] * 4
        assert entra.asked == []

    async def test_keys_end_a_day_after_they_were_last_seen(
        self, gate: Gate, entra: PaperEntra, clock: SettableClock
    ) -> None:
        """Until then the last known good ones serve; after that the tenant may have revoked them."""
        await gate.admit(GOOD)
        entra.fails = True
        clock.pass_time(hours=23, minutes=59)
        await gate.refresh()
        fresh = bearer(good_token(exp=2**40))
        assert await is_let_in(gate, fresh)
        assert await gate.ready() is None
        clock.pass_time(minutes=1)
        assert (await refused(gate, fresh)).code == "no-keys"
        assert TENANT in str(await gate.ready())

    async def test_one_tenant_without_keys_does_not_stop_the_others(self, clock: SettableClock) -> None:
        """The process stays ready for those whose tokens it can check, and `check` tells of the rest."""
        entra = PaperEntra({TENANT: [jwk()]})
        gate = gate_with(entra, clock, tenant_id=None, tenants=[{"tenant_id": TENANT}, {"tenant_id": OTHER_TENANT}])
        await gate.refresh()
        assert await gate.ready() is None
        assert len(gate.troubles()) == 2
        assert all(OTHER_TENANT in trouble for trouble in gate.troubles())

    async def test_readiness_speaks_of_each_tenant_and_version(self) -> None:
        """Before anything was fetched all are missing."""
        said = str(await gate_with().ready())
        assert said.count(TENANT) == 2
        assert "version 1.0" in said
        assert "version 2.0" in said
        assert "not fetched yet" in said


class TestRefresh:
    """Keys are fetched again every hour; what is published replaces what is known."""

    async def test_a_key_that_is_withdrawn_is_refused(self, gate: Gate, entra: PaperEntra) -> None:
        """An emergency roll takes effect with the next fetch, also for tokens that were let in a moment ago."""
        await gate.admit(GOOD)
        assert gate.remembered(GOOD[0])
        entra.keys[TENANT] = [jwk("second")]
        await gate.refresh()
        assert gate.remembered(GOOD[0]) is None
        assert (await refused(gate, GOOD)).code == "unknown-key"

    async def test_the_same_id_with_another_key_is_a_change(self, gate: Gate, entra: PaperEntra) -> None:
        """What was checked with the old key is forgotten."""
        await gate.admit(GOOD)
        entra.keys[TENANT] = [jwk("first", rsa_key("second"))]
        await gate.refresh()
        assert gate.remembered(GOOD[0]) is None
        assert (await refused(gate, GOOD)).code == "bad-signature"

    async def test_the_same_keys_forget_nothing(self, gate: Gate, entra: PaperEntra) -> None:
        """In any order, and with other members."""
        entra.keys[TENANT] = [jwk(), jwk("second")]
        await gate.admit(GOOD)
        entra.keys[TENANT] = [jwk("second", x5c=["changed"]), jwk()]
        await gate.refresh()
        assert gate.remembered(GOOD[0])

    @pytest.mark.parametrize("document", [b"", b"<html>", b"{}", b'{"keys": []}', b'{"keys": [{"kty": "EC"}]}'])
    async def test_rubbish_does_not_replace_good_keys(self, gate: Gate, entra: PaperEntra, document: bytes) -> None:
        """It counts as a failed fetch."""
        await gate.admit(GOOD)
        entra.documents[f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"] = document
        await gate.refresh()
        assert gate.remembered(GOOD[0])
        assert await is_let_in(gate, GOOD)
        assert (await refused(gate, UNKNOWN)).status == 503

    async def test_what_breaks_unexpectedly_counts_as_failed(self, clock: SettableClock) -> None:
        """Whatever a fetch raises, the answer is 503 and the program goes on."""

        async def broken(url: str) -> bytes:
            raise RuntimeError(url)

        gate = Gate(settings(), clock=clock, fetch=broken)
        with structlog.testing.capture_logs() as lines:
            assert (await refused(gate, GOOD)).code == "no-keys"
        assert [line["event"] for line in lines] == ["signing keys fetch broke", "signing keys not refreshed"]

    async def test_changes_and_failures_are_logged(self, gate: Gate, entra: PaperEntra) -> None:
        """By constant names, with ids of keys and the reason."""
        with structlog.testing.capture_logs() as lines:
            await gate.refresh()
            entra.keys[TENANT] = [jwk("second")]
            await gate.refresh()
            await gate.refresh()
            entra.fails = True
            await gate.refresh()
        assert [(line["event"], line["log_level"]) for line in lines] == [
            ("signing keys changed", "info"),
            ("signing keys changed", "info"),
            ("signing keys refreshed", "debug"),
            ("signing keys not refreshed", "warning"),
        ]
        assert (lines[1]["added"], lines[1]["removed"]) == (["second"], ["first"])
        assert "is away" in lines[3]["reason"]


class TestSingleFlight:
    """However many wait, one fetch is under way."""

    async def test_callers_wait_for_the_same_fetch(self, gate: Gate, entra: PaperEntra) -> None:
        """A hundred alerts at the start, one fetch."""
        entra.open.clear()
        waiting = [asyncio.create_task(gate.admit(GOOD)) for _ in range(100)]
        await let_run()
        entra.open.set()
        assert len({caller.object_id for caller in await asyncio.gather(*waiting)}) == 1
        assert len(entra.asked) == 2

    async def test_unknown_ids_wait_for_the_same_fetch(self, gate: Gate, entra: PaperEntra) -> None:
        """And none of them starts a second one when it is over."""
        await gate.admit(GOOD)
        entra.open.clear()
        waiting = [asyncio.create_task(refused(gate, UNKNOWN)) for _ in range(100)]
        await let_run()
        entra.open.set()
        assert {refusal.code for refusal in await asyncio.gather(*waiting)} == {"unknown-key"}
        assert entra.key_fetches == 2

    async def test_known_keys_do_not_wait(self, gate: Gate, entra: PaperEntra) -> None:
        """A fetch that hangs holds nobody up whose key is known."""
        await gate.admit(GOOD)
        entra.open.clear()
        hanging = asyncio.create_task(gate.refresh())
        await let_run()
        assert await is_let_in(gate, GOOD)
        entra.open.set()
        await hanging

    async def test_who_goes_away_ends_it_for_nobody(self, gate: Gate, entra: PaperEntra) -> None:
        """A client that hangs up cancels its own request only."""
        entra.open.clear()
        first, second = (asyncio.create_task(gate.admit(GOOD)) for _ in range(2))
        await let_run()
        first.cancel()
        await let_run()
        entra.open.set()
        assert (await second).tenant_id == TENANT
        assert len(entra.asked) == 2

    async def test_a_fetch_that_began_too_early_is_followed_by_another(self, gate: Gate, entra: PaperEntra) -> None:
        """A key may be published while the fetch before is under way."""
        await gate.refresh()
        entra.open.clear()
        before = json.dumps({"keys": [jwk()]}).encode()
        entra.once[f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"] = before
        roll(entra)
        background = asyncio.create_task(gate.refresh())
        await let_run()
        waiting = asyncio.create_task(gate.admit(ROLLED))
        await let_run()
        entra.open.set()
        await background
        assert (await waiting).tenant_id == TENANT


class Background:
    """A gate whose background waits until the test lets time pass."""

    def __init__(self, entra: PaperEntra, clock: SettableClock) -> None:
        self.ticks: asyncio.Queue[None] = asyncio.Queue()
        self.ages: list[tuple[str, float]] = []
        self.clock = clock
        self.gate = Gate(
            settings(versions="2.0"),
            clock=clock,
            fetch=entra,
            sleep=self._sleep,
            on_keys_age=lambda tenant, seconds: self.ages.append((tenant, seconds)),
        )

    async def _sleep(self, seconds: float) -> None:
        await self.ticks.get()
        self.clock.pass_time(seconds=seconds)

    async def tick(self) -> None:
        self.ticks.put_nowait(None)
        await let_run()


@pytest.fixture
async def background(entra: PaperEntra, clock: SettableClock) -> AsyncIterator[Background]:
    """Stop the background when the test is over."""
    made = Background(entra, clock)
    yield made
    await made.gate.stop()


class TestBackground:
    """The background keeps the keys fresh, so that no alert waits for them."""

    async def test_keys_are_there_once_it_has_started(self, background: Background, entra: PaperEntra) -> None:
        """The first alert fetches nothing."""
        await background.gate.start()
        assert entra.key_fetches == 1
        assert await background.gate.ready() is None
        assert await is_let_in(background.gate, GOOD)
        assert entra.key_fetches == 1

    async def test_they_are_fetched_again_every_hour(self, background: Background, entra: PaperEntra) -> None:
        """With some jitter, never later."""
        await background.gate.start()
        background.clock.pass_time(minutes=53)
        await background.tick()
        assert entra.key_fetches == 1
        background.clock.pass_time(minutes=7)
        await background.tick()
        assert entra.key_fetches == 2

    async def test_a_failed_start_is_no_error(self, background: Background, entra: PaperEntra) -> None:
        """It is tried again with every tick until there are keys."""
        entra.fails = True
        await background.gate.start()
        assert await background.gate.ready() is not None
        await background.tick()
        entra.fails = False
        await background.tick()
        assert await background.gate.ready() is None

    async def test_a_failed_refresh_is_tried_again_every_minute(
        self, background: Background, entra: PaperEntra
    ) -> None:
        """There are keys still, so there is no hurry."""
        await background.gate.start()
        entra.fails = True
        background.clock.pass_time(hours=1)
        for _ in range(12):
            await background.tick()
        assert len(entra.asked) == 2 + 1
        await background.tick()
        assert len(entra.asked) == 2 + 2

    async def test_it_tells_how_old_the_keys_are(self, background: Background, entra: PaperEntra) -> None:
        """For the gauge that an operator watches."""
        await background.gate.start()
        await background.tick()
        assert background.ages == [(TENANT, 0.0), (TENANT, 5.0)]
        assert background.gate.keys_age() == {TENANT: 5.0}

    async def test_it_survives_whoever_is_told(self, background: Background, entra: PaperEntra) -> None:
        """Without it the keys would run out a day later."""
        await background.gate.start()

        def broken(_tenant: str, _seconds: float) -> None:
            raise RuntimeError

        background.gate._on_keys_age = broken
        with structlog.testing.capture_logs() as lines:
            await background.tick()
        assert [line["event"] for line in lines] == ["signing keys upkeep failed"]
        background.clock.pass_time(hours=1)
        await background.tick()
        assert entra.key_fetches == 2

    async def test_stopping_gives_up_what_is_under_way(self, background: Background, entra: PaperEntra) -> None:
        """Shutdown waits for no tenant; whoever waited is told to come back."""
        entra.open.clear()
        waiting = asyncio.create_task(refused(background.gate, GOOD))
        await let_run()
        await background.gate.stop()
        assert (await waiting).status == 503


async def test_ages_are_those_of_the_oldest_keys() -> None:
    """A tenant has two sets; tenants without keys have no age."""
    clock, entra = SettableClock(), PaperEntra({TENANT: [jwk()], OTHER_TENANT: []})
    gate = gate_with(entra, clock, tenant_id=None, tenants=[{"tenant_id": TENANT}, {"tenant_id": OTHER_TENANT}])
    await gate.admit(bearer(good_token("1.0")))
    clock.pass_time(seconds=30)
    await gate.admit(bearer(good_token("2.0")))
    await refused(gate, bearer(good_token(tenant=OTHER_TENANT)))
    assert gate.keys_age() == {TENANT: 30.0}


async def let_run() -> None:
    """Let every task go on until it waits."""
    for _ in range(30):
        await asyncio.sleep(0)
