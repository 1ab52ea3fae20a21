"""Pure merging: whatever is there, nothing but our own part ever changes."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.azure.setup.steps.action_group_body import differences_of, digest_of_others, merged, without
from secure_export.azure.setup.steps.alert_rule import KINDS
from secure_export.azure.setup.steps.application_body import before_of, bodies_back, wanted_body
from secure_export.azure.setup.steps.application_body import differences_of as lacks
from secure_export.azure.setup.whole import shows_more

NAMES = st.sampled_from(["secure-export", "Secure-Export", "a", "b", "hook"])
VALUES = st.one_of(st.none(), st.booleans(), st.text(max_size=4), st.integers(0, 9))
RECEIVERS = st.lists(
    st.builds(lambda name, more: {"name": name, **more}, NAMES, st.dictionaries(st.sampled_from("xyz"), VALUES)),
    max_size=4,
    unique_by=lambda one: str(one["name"]).lower(),
)
GROUPS = st.fixed_dictionaries(
    {"location": st.just("Global")},
    optional={
        "tags": st.dictionaries(st.sampled_from("tu"), st.text(max_size=3)),
        "properties": st.fixed_dictionaries(
            {"groupShortName": st.text(min_size=1, max_size=5), "enabled": st.booleans()},
            optional={"webhookReceivers": RECEIVERS, "emailReceivers": RECEIVERS, "futureReceivers": RECEIVERS},
        ),
    },
)
OURS = {"name": "secure-export", "serviceUri": "https://x", "useAadAuth": True}
IDS = st.lists(st.sampled_from([f"/groups/{one}" for one in "abcdef"]), max_size=5, unique=True)
ROLES = st.lists(
    st.fixed_dictionaries({"value": st.sampled_from(["Ours", "Other", "Third"]), "id": st.uuids().map(str),
                           "isEnabled": st.booleans(),
                           "allowedMemberTypes": st.lists(st.sampled_from(["User", "Application"]), unique=True)}),
    max_size=3, unique_by=lambda role: role["value"],
)  # fmt: skip
CLAIMS = st.lists(st.sampled_from(["idtyp", "ipaddr", "aud"]).map(lambda name: {"name": name}), max_size=3,
                  unique_by=lambda one: one["name"])  # fmt: skip
APPLICATIONS = st.fixed_dictionaries(
    {"appRoles": ROLES, "api": st.fixed_dictionaries({"requestedAccessTokenVersion": st.sampled_from([None, 1, 2])})},
    optional={"optionalClaims": st.fixed_dictionaries({"accessToken": CLAIMS, "idToken": CLAIMS})},
)


@given(GROUPS)
@settings(max_examples=150)
def test_nothing_but_our_webhook_changes(there: dict[str, Any]) -> None:
    """Merging leaves the others as they are and in their order, is done once, and is undone exactly."""
    original = json.dumps(there, sort_keys=True)
    after = merged(there, OURS, "new")
    assert json.dumps(there, sort_keys=True) == original, "what was read is not changed"
    assert differences_of(after, OURS) == ()
    assert merged(after, OURS, "new") == after
    assert digest_of_others(after, ["secure-export"]) == digest_of_others(there, ["secure-export"])
    before = next((one for one in (there.get("properties") or {}).get("webhookReceivers") or ()
                   if str(one["name"]).lower() == "secure-export"), None)  # fmt: skip
    back = without(after, "secure-export", instead=before)
    assert back["properties"].get("webhookReceivers") == ((there.get("properties") or {}).get("webhookReceivers") or [])


@given(st.sampled_from(KINDS), IDS, st.dictionaries(st.sampled_from("mno"), VALUES))
@settings(max_examples=100)
def test_a_rule_keeps_all_but_its_list(kind: Any, ids: list[str], more: dict[str, Any]) -> None:
    """Every kind of rule gives back the list that was put in, and keeps its other properties."""
    properties = kind.with_list(more, ids)
    assert kind.listed(properties) == ids
    longer = kind.with_list(properties, [*ids, "/groups/ours"])
    assert kind.with_list(longer, ids) == properties
    assert {key: value for key, value in longer.items() if key in more} == more


@given(APPLICATIONS)
@settings(max_examples=150)
def test_an_app_registration_keeps_what_is_not_ours(there: dict[str, Any]) -> None:
    """Other roles and claims stay; undoing our changes gives back what was there."""
    after = {**there, **wanted_body(there, "Ours")}
    assert lacks(after, "Ours") == ()
    kept = [role for role in after["appRoles"] if role["value"] != "Ours"]
    assert kept == [role for role in there["appRoles"] if role["value"] != "Ours"]
    back = dict(after)
    for body in bodies_back(after, before_of(there, "Ours")):
        back |= body
    assert back["appRoles"] == there["appRoles"]
    assert back["api"] == there["api"]
    assert (back["optionalClaims"]["accessToken"]) == ((there.get("optionalClaims") or {}).get("accessToken") or [])


@given(st.recursive(VALUES, lambda inner: st.dictionaries(st.sampled_from("pq"), inner) | st.lists(inner, max_size=2)))
@settings(max_examples=100)
def test_a_reading_shows_no_more_than_itself(value: Any) -> None:
    """The same reading hides nothing; one with a member more does."""
    assert not shows_more(value, value)
    assert shows_more({"v": value, "new": 1}, {"v": value})
