"""Action groups as Azure has them."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import referencing
from referencing.jsonschema import DRAFT4

from secure_export.sandbox.azure_monitor import ActionGroup, Webhook, groups_for

SPEC = (
    Path(__file__).parents[5]
    / "shared/specs/specification/monitor/resource-manager/Microsoft.Insights/stable/2023-01-01/actionGroups_API.json"
)
TENANT = "c0ffee00-7e57-4a11-9b5d-5a4db0c5ed01"


def _webhook(name: str = "itsm") -> Webhook:
    return Webhook(name, "https://bridge.example/hook")


def test_the_defaults_are_azures_and_not_what_people_want() -> None:
    """Older schemas and no token, unless somebody switches them."""
    assert (_webhook().use_common_alert_schema, _webhook().use_aad_auth) == (False, False)


@pytest.mark.parametrize("short_name", ["", "thirteen-long"])
def test_short_names_have_1_to_12_characters(short_name: str) -> None:
    """Azure refuses others."""
    with pytest.raises(ValueError, match="12 characters"):
        ActionGroup("ag", short_name)


def test_a_group_has_at_most_ten_webhooks() -> None:
    """Azure refuses more."""
    ActionGroup("ag", "ag", tuple(_webhook(str(number)) for number in range(10)))
    with pytest.raises(ValueError, match="more than 10"):
        ActionGroup("ag", "ag", tuple(_webhook(str(number)) for number in range(11)))


def test_a_secure_webhook_needs_what_its_token_is_for() -> None:
    """Without identifier URI and tenant there is no token to be had."""
    with pytest.raises(ValueError, match="identifier_uri"):
        Webhook("itsm", "https://bridge.example", use_aad_auth=True)


def test_the_rounds_groups_share_their_receiver() -> None:
    """Two groups with the same receiver make duplicates; the third has the common schema off."""
    one, two, old = groups_for("http://127.0.0.1/hook", tenant_id=TENANT, identifier_uri="api://x")
    assert one.webhooks == two.webhooks
    assert one.webhooks[0].use_common_alert_schema
    assert not old.webhooks[0].use_common_alert_schema
    assert {webhook.use_aad_auth for group in (one, two, old) for webhook in group.webhooks} == {True}


@pytest.mark.skipif(not SPEC.is_file(), reason="the official API description is not beside the checkout")
def test_the_arm_form_is_valid_by_the_official_description() -> None:
    """A group written out as an ARM resource is one that Azure would take."""

    def retrieve(uri: str) -> referencing.Resource[Any]:
        text = Path(uri.removeprefix("file://")).read_text("utf-8")
        return referencing.Resource.from_contents(json.loads(text), DRAFT4)

    registry: Any = referencing.Registry(retrieve=retrieve)  # type: ignore[call-arg] # attrs hides it from mypy
    schema = {"$ref": f"{SPEC.resolve().as_uri()}#/definitions/ActionGroupResource"}
    validator = jsonschema.Draft4Validator(schema, registry=registry)
    (group, *_) = groups_for("https://bridge.example/hook", tenant_id=TENANT, identifier_uri="api://x")
    validator.validate(group.to_arm())
    broken = group.to_arm()
    broken["properties"]["enabled"] = "yes"
    assert list(validator.iter_errors(broken))
