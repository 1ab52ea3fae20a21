"""Short names for long URLs, and the Change API (servicenow-facts 7.5, 7.6)."""

from typing import Any
from urllib.parse import parse_qs

import pytest
from tests.unit.sandbox.servicenow.apis import Apis

from secure_export.sandbox.servicenow import change_api, tinyurl_api
from secure_export.sandbox.servicenow.tinyurl_api import expanded

TINY = "/api/now/tinyurl"
CHANGES = "/api/sn_chg_rest/change"


async def test_a_long_url_gets_a_short_name() -> None:
    """The name comes after the path, and stands for the whole query."""
    apis = Apis(tinyurl_api)
    answer = await apis.post(TINY, {"url": "incident_list.do?sysparm_query=number=INC1^ORnumber=INC2&sysparm_limit=5"})
    assert answer.status == 201
    path, _, query = answer.result.partition("?")
    assert (path, query.partition("=")[0]) == ("incident_list.do", "sysparm_tiny")
    told = parse_qs(expanded(apis.instance, f"{query}&sysparm_fields=number"))
    assert told == {
        "sysparm_query": ["number=INC1^ORnumber=INC2"],
        "sysparm_limit": ["5"],
        "sysparm_fields": ["number"],
    }


@pytest.mark.parametrize("query", ["", "sysparm_limit=1", "sysparm_tiny=unknown&sysparm_limit=1"])
async def test_a_query_without_a_known_short_name_stays(query: str) -> None:
    """An unknown one is ignored, like any unknown parameter."""
    assert expanded(Apis(tinyurl_api).instance, query) == query


async def test_a_short_name_needs_a_url_and_a_user() -> None:
    """Both are refused."""
    apis = Apis(tinyurl_api)
    assert (await apis.post(TINY, {})).status == 400
    assert (await apis.post(TINY, {"url": "x"}, user="")).status == 401


class TestChange:
    """Every value is told with its display value."""

    async def made(self, apis: Apis, path: str = CHANGES, **values: Any) -> dict[str, Any]:
        answer = await apis.post(path, {"short_description": "Reboot", **values})
        assert answer.status == 200
        found: dict[str, Any] = answer.result
        return found

    async def test_a_change_is_made_read_changed_and_deleted(self) -> None:
        """Unknown fields are named in __meta."""
        apis = Apis(change_api)
        made = await self.made(apis, no_such_field="x")
        assert made["state"] == {"display_value": "New", "value": "-5"}
        assert made["__meta"] == {"ignoredFields": ["no_such_field"]}
        path = f"{CHANGES}/{made['sys_id']['value']}"
        changed = await apis.ask("PATCH", path, {"short_description": "Wait"})
        assert changed.result["short_description"]["value"] == "Wait"
        assert (await apis.get(path)).result["number"] == made["number"]
        assert (await apis.ask("DELETE", path)).status == 204
        assert (await apis.get(path)).status == 404

    @pytest.mark.parametrize("kind", ["normal", "standard", "emergency"])
    async def test_a_kind_of_change_has_its_own_path(self, kind: str) -> None:
        """Others are not found there."""
        apis = Apis(change_api)
        made = await self.made(apis, f"{CHANGES}/{kind}?description=by query")
        assert (made["type"]["value"], made["description"]["value"]) == (kind, "by query")
        assert len((await apis.get(f"{CHANGES}/{kind}")).result) == 1
        other = "normal" if kind == "standard" else "standard"
        assert (await apis.get(f"{CHANGES}/{other}")).result == []
        assert (await apis.get(f"{CHANGES}/{other}/{made['sys_id']['value']}")).status == 404

    async def test_next_states_are_those_that_the_rules_allow(self) -> None:
        """A skipped step is refused."""
        apis = Apis(change_api)
        path = f"{CHANGES}/{(await self.made(apis))['sys_id']['value']}"
        states = (await apis.get(f"{path}/nextstates")).result["available_states"]
        assert states == ["-5", "-4", "4"]
        assert (await apis.ask("PATCH", path, {"state": "-1"})).status == 403
        assert (await apis.ask("PATCH", path, {"state": states[1]})).status == 200

    async def test_a_change_has_tasks(self) -> None:
        """They point at it."""
        apis = Apis(change_api)
        sys_id = (await self.made(apis))["sys_id"]["value"]
        task = await apis.post(f"{CHANGES}/{sys_id}/task", {"short_description": "Step one"})
        assert task.result["change_request"]["value"] == sys_id
        listed = (await apis.get(f"{CHANGES}/{sys_id}/task")).result
        assert [one["short_description"]["value"] for one in listed] == ["Step one"]
