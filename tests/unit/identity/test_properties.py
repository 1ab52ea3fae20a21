"""Whatever comes, the gate answers with a caller or a refusal, and changed tokens are never let in."""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.unit.identity.stand_in import METADATA_V2, V2, bearer, claims, gate_with, good_token, header, jwk, token_of

from secure_export.identity.caller import Caller, Refusal
from secure_export.identity.gate import Gate
from secure_export.identity.signing_keys import KeysNotUsable, read_keys, read_metadata

TOKEN = good_token()
GATE = gate_with()
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
TEXTS = st.text(max_size=8)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
PIECES = st.sampled_from([b"", b".", b"=", b"A", b"-", b"_", b"\n", b" "]) | st.binary(min_size=1, max_size=2)
CLAIM_NAMES = st.sampled_from(sorted({*claims(), *claims("1.0"), "scp", "idtyp", "TID"}))
HEADER_NAMES = st.sampled_from(["alg", "typ", "kid", "crit", "jwk", "nonce", "x5t", "ALG"]) | TEXTS


def answer(gate: Gate, authorization: Sequence[bytes]) -> Caller | Refusal:
    """Give what the gate decides; anything else that it raises fails the test."""
    try:
        return asyncio.run(gate.admit(authorization))
    except Refusal as refusal:
        return refusal


@examples(max_examples=200, deadline=None)
@given(st.data())
def test_a_token_with_any_change_is_refused(data: st.DataObject) -> None:
    """One character put in, taken out or replaced, anywhere."""
    at = data.draw(st.integers(0, len(TOKEN)))
    put = data.draw(PIECES)
    take = data.draw(st.integers(0, 2))
    changed = TOKEN[:at] + put + TOKEN[at + take :]
    decision = answer(GATE, bearer(changed))
    said = changed.rstrip(b" \t")  # blanks at the end are no part of the field (RFC 9110, 5.5)
    assert isinstance(decision, Caller) is (said == TOKEN)


@examples(max_examples=150, deadline=None)
@given(st.dictionaries(CLAIM_NAMES, JSON, min_size=1, max_size=4))
def test_signed_nonsense_is_a_refusal_at_most(changes: dict[str, Any]) -> None:
    """Even the tenant's own signature lets nothing through that the table does not know."""
    said = claims() | changes
    decision = answer(GATE, bearer(token_of(header(), said)))
    if isinstance(decision, Caller):
        for claim in ("iss", "aud", "tid", "ver", "azp"):
            assert said[claim] == claims()[claim]
        assert "scp" not in said
        assert "ActionGroupsSecureWebhook" in said["roles"]
        json.dumps(decision.token_id).encode("utf-8")


@examples(max_examples=100, deadline=None)
@given(st.dictionaries(HEADER_NAMES, JSON, max_size=4), JSON)
def test_random_headers_and_payloads_are_a_refusal_at_most(members: dict[str, Any], payload: Any) -> None:
    """With a signature that is good."""
    assert isinstance(answer(GATE, bearer(token_of(header(**members), payload))), Refusal)
    changed = answer(GATE, bearer(token_of(header(**members), claims())))
    if isinstance(changed, Caller):
        assert header(**members)["alg"] == "RS256"


@examples(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=60) | st.binary(max_size=60).map(lambda rest: b"Bearer " + rest), max_size=3))
def test_random_headers_of_a_request_are_refused(authorization: list[bytes]) -> None:
    """Bytes of any kind, any number of them."""
    decision = answer(GATE, authorization)
    assert isinstance(decision, Refusal)
    assert decision.status == 401


@examples(max_examples=100, deadline=None)
@given(JSON, st.dictionaries(st.sampled_from([*jwk(), "issuer", "alg", "key_ops"]), JSON, max_size=3))
def test_random_documents_give_keys_or_are_not_usable(document: Any, members: dict[str, Any]) -> None:
    """Nothing that a tenant publishes breaks the program."""
    for text in (document, {"keys": document}, {"keys": [jwk() | members, document]}, {"issuer": document}):
        encoded = json.dumps(text).encode()
        with contextlib.suppress(KeysNotUsable):
            read_keys(encoded, V2, METADATA_V2)
        with contextlib.suppress(KeysNotUsable):
            read_metadata(encoded, V2)
