"""The CMDB Instance API, the CMDB Meta API, and identification (servicenow-facts 10.3, 10.4)."""

from typing import Any

import pytest
from tests.unit.sandbox.servicenow.apis import Answer, Apis

from secure_export.sandbox.servicenow import cmdb_instance_api, cmdb_meta_api, reconcile_api

CI = "/api/now/cmdb/instance"
IRE = "/api/now/identifyreconcile"
VM = "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-1"
AGENT = "itil.agent"


def apis() -> Apis:
    made = Apis(cmdb_instance_api, cmdb_meta_api, reconcile_api)
    choice = {"name": "cmdb_ci", "element": "discovery_source", "language": "en"}
    for value in ("ServiceNow", "SG-Azure"):
        if value not in made.instance.choices.active("cmdb_ci", "discovery_source"):
            made.instance.insert("sys_choice", {**choice, "value": value, "label": value})
    if made.instance.first("cmdb_rel_type", "name=Hosted on::Hosts") is None:
        made.instance.insert("cmdb_rel_type", {"name": "Hosted on::Hosts"})
    return made


class TestInstance:
    """CIs with their relations."""

    async def made(self, api: Apis, table: str = "cmdb_ci_vm_instance", **attributes: Any) -> Answer:
        return await api.post(f"{CI}/{table}", {"attributes": attributes, "source": "SG-Azure"}, user=AGENT)

    async def test_a_ci_is_made_by_way_of_identification(self) -> None:
        """The second time the same one is updated."""
        api = apis()
        first = await self.made(api, name="vm-1", object_id=VM)
        second = await self.made(api, name="renamed", object_id=VM.upper())
        assert (first.status, second.status) == (201, 201)
        attributes = second.result["attributes"]
        assert attributes["sys_id"] == first.result["attributes"]["sys_id"]
        assert (attributes["name"], attributes["discovery_source"]) == ("renamed", "SG-Azure")

    async def test_attributes_that_are_no_texts_are_a_class_cast_exception(self) -> None:
        """500, as seen in the field; nothing is written."""
        api = apis()
        refused = await self.made(api, name="vm-1", cpus=4)
        assert refused.refusal.startswith("500 java.lang.ClassCastException / java.lang.Integer")
        assert api.instance.tables.count("cmdb_ci") == 0

    @pytest.mark.parametrize("source", [None, "", "Nobody"])
    async def test_the_source_is_mandatory_and_must_be_known(self, source: str | None) -> None:
        """A choice value of cmdb_ci.discovery_source."""
        body = {"attributes": {"name": "vm-1"}, **({} if source is None else {"source": source})}
        assert (await apis().post(f"{CI}/cmdb_ci_server", body, user=AGENT)).status == 400

    async def test_a_list_holds_ids_and_names_only(self) -> None:
        """And the trap of invalid terms is here, too."""
        api = apis()
        await self.made(api, name="vm-1", object_id=VM)
        listed = await api.get(f"{CI}/cmdb_ci_vm_instance", user=AGENT)
        assert [set(row) for row in listed.result] == [{"sys_id", "name"}]
        trapped = await api.get(f"{CI}/cmdb_ci", user=AGENT, sysparm_query="object_id=none")
        assert len(trapped.result) == 1
        assert (await api.get(f"{CI}/cmdb_ci_vm_instance", user=AGENT, sysparm_query="object_id=none")).result == []

    async def test_relations_are_told_both_ways(self) -> None:
        """Made with the CI or later, by the name or id of their type, and removed by id."""
        api = apis()
        region = (await self.made(api, "cmdb_ci_azure_datacenter", object_id="westeurope", name="westeurope")).result
        machine = (await self.made(api, name="vm-1", object_id=VM)).result["attributes"]["sys_id"]
        target = region["attributes"]["sys_id"]
        body = {"source": "SG-Azure", "outbound_relations": [{"type": "Hosted on::Hosts", "target": target}]}
        path = f"{CI}/cmdb_ci_vm_instance/{machine}"
        related = await api.post(f"{path}/relation", body, user=AGENT)
        await api.post(f"{path}/relation", body, user=AGENT)
        assert related.status == 201
        read = (await api.get(path, user=AGENT)).result
        assert [(one["target"]["value"], one["type"]["display_value"]) for one in read["outbound_relations"]] == [
            (target, "Hosted on::Hosts")
        ]
        other = (await api.get(f"{CI}/cmdb_ci_azure_datacenter/{target}", user=AGENT)).result
        assert [one["target"]["display_value"] for one in other["inbound_relations"]] == ["vm-1"]
        relation = read["outbound_relations"][0]["sys_id"]
        assert (await api.ask("DELETE", f"{path}/relation/{relation}", user=AGENT)).status == 204
        assert (await api.get(path, user=AGENT)).result["outbound_relations"] == []

    async def test_a_relation_needs_no_source_but_a_known_one_if_any(self) -> None:
        """Attributes are somebody's; relations that come alone are not asked whose they are."""
        api = apis()
        ids = [(await self.made(api, name=name, object_id=name)).result["attributes"]["sys_id"] for name in "ab"]
        path = f"{CI}/cmdb_ci_vm_instance/{ids[0]}/relation"
        body = {"inbound_relations": [{"type": "Hosted on::Hosts", "target": ids[1]}]}
        assert (await api.post(path, {**body, "source": "Nobody"}, user=AGENT)).status == 400
        assert len((await api.post(path, body, user=AGENT)).result["inbound_relations"]) == 1

    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    async def test_attributes_are_changed_and_nothing_else(self, method: str) -> None:
        """Numbers are refused here, too."""
        api = apis()
        sys_id = (await self.made(api, name="vm-1", object_id=VM)).result["attributes"]["sys_id"]
        path = f"{CI}/cmdb_ci_vm_instance/{sys_id}"
        changed = await api.ask(method, path, {"attributes": {"memory": "8"}, "source": "ServiceNow"}, user=AGENT)
        assert (changed.result["attributes"]["memory"], changed.result["attributes"]["name"]) == ("8", "vm-1")
        assert (await api.ask(method, path, {"attributes": {"memory": 8}, "source": "x"}, user=AGENT)).status == 500

    async def test_roles_classes_and_relations_are_checked(self) -> None:
        """Without itil, of a class that is none, of a CI that is none, to a target that is none."""
        api = apis()
        assert (await api.get(f"{CI}/cmdb_ci", user="caller.one")).status in {401, 403}
        assert (await api.get(f"{CI}/incident", user=AGENT)).refusal == "400 Invalid table incident / None"
        assert (await api.get(f"{CI}/cmdb_ci/none", user=AGENT)).status == 404
        assert (await api.post(f"{CI}/cmdb_ci", {"source": "ServiceNow"}, user=AGENT)).status == 400
        sys_id = (await self.made(api, name="vm-1", object_id=VM)).result["attributes"]["sys_id"]
        body = {"source": "SG-Azure", "outbound_relations": [{"type": "Hosted on::Hosts", "target": "none"}]}
        assert (await api.post(f"{CI}/cmdb_ci/{sys_id}/relation", body, user=AGENT)).status == 400


class TestMeta:
    """What a class is made of."""

    async def meta(self, table: str, user: str = AGENT) -> Answer:
        return await apis().get(f"/api/now/cmdb/meta/{table}", user=user)

    @pytest.mark.parametrize(
        ("table", "there"), [("cmdb_ci_vm_instance", True), ("cmdb_ci", False), ("cmdb_ci_kubernetes_cluster", False)]
    )
    async def test_it_proves_whether_a_class_has_object_id(self, table: str, there: bool) -> None:  # noqa: FBT001 - of the table
        """On subclasses only (10.1)."""
        columns = {one["element"] for one in (await self.meta(table)).result["attributes"]}
        assert ("object_id" in columns) is there

    async def test_flags_inside_attributes_are_texts(self) -> None:
        """And lengths too."""
        told = (await self.meta("cmdb_ci_vm_instance")).result
        assert (told["parent"], told["is_extendable"]) == ("cmdb_ci_vm_object", True)
        by_name = {one["element"]: one for one in told["attributes"]}
        assert (by_name["object_id"]["is_inherited"], by_name["vm_inst_id"]["is_inherited"]) == ("true", "false")
        assert (by_name["name"]["is_display"], by_name["name"]["max_length"]) == ("true", "255")
        assert [one["attributes"] for one in told["identification_rules"]["identifiers"]] == ["object_id", "vm_inst_id"]

    async def test_a_class_tells_its_children(self) -> None:
        """The nearest only."""
        assert "cmdb_ci_vm_instance" in (await self.meta("cmdb_ci_vm_object")).result["children"]

    async def test_roles_and_classes_are_checked(self) -> None:
        """Without itil, and of a table that is no class."""
        assert (await self.meta("cmdb_ci", user="event.integration")).status == 403
        assert (await self.meta("incident")).status == 400


class TestIdentification:
    """Which CI a payload is about."""

    async def sent(self, api: Apis, *items: dict[str, Any], path: str = IRE, **more: Any) -> Any:
        body = {"items": list(items), **more}
        answer = await api.post(f"{path}?sysparm_data_source=SG-Azure", body, user=AGENT)
        assert answer.status == 200
        return answer.result

    def vm(self, **values: str) -> dict[str, Any]:
        return {"className": "cmdb_ci_vm_instance", "values": {"name": "vm-1", "object_id": VM, **values}}

    async def test_insert_update_and_no_change(self) -> None:
        """Each with the attempts that led to it."""
        api = apis()
        told = [(await self.sent(api, self.vm(**more)))["items"][0] for more in ({}, {"memory": "8"}, {"memory": "8"})]
        assert [one["operation"] for one in told] == ["INSERT", "UPDATE", "NO_CHANGE"]
        assert len({one["sysId"] for one in told}) == 1
        assert [one["identificationAttempts"][0]["attemptResult"] for one in told] == ["NO_MATCH", "MATCHED", "MATCHED"]
        assert told[0]["identificationAttempts"][1]["attemptResult"] == "SKIPPED"
        assert told[1]["identifierEntrySysId"] != "Unknown"

    @pytest.mark.parametrize("path", [f"{IRE}/query", f"{IRE}/queryEnhanced"])
    async def test_a_query_writes_nothing(self, path: str) -> None:
        """It tells what would be done."""
        api = apis()
        told = (await self.sent(api, self.vm(), path=path))["items"][0]
        assert (told["operation"], told["sysId"]) == ("INSERT", "Unknown")
        assert api.instance.tables.count("cmdb_ci") == 0

    async def test_a_source_knows_its_ci_by_its_own_key(self) -> None:
        """sys_object_source comes first, unless the property skips it."""
        api = apis()
        info = {"source_name": "SG-Azure", "source_native_key": "key-1"}
        made = (await self.sent(api, {**self.vm(), "sys_object_source_info": info}))["items"][0]
        renamed = {**self.vm(object_id="other"), "sys_object_source_info": info}
        found = (await self.sent(api, renamed))["items"][0]
        assert found["sysId"] == made["sysId"]
        assert found["identificationAttempts"][0]["info"] == "sys_object_source MATCHED"
        assert api.instance.tables.count("sys_object_source") == 1
        api.instance.properties.set("glide.identification_engine.skip_sys_object_source_matching", "true")
        other = (await self.sent(api, {**self.vm(object_id="third"), "sys_object_source_info": info}))["items"][0]
        assert other["sysId"] != made["sysId"]

    async def test_errors_are_inside_an_answer_of_200(self) -> None:
        """Unknown source, unknown class, no values."""
        api = apis()
        body = {"items": [self.vm()]}
        unknown = await api.post(f"{IRE}?sysparm_data_source=Nobody", body, user=AGENT)
        assert unknown.status == 200
        assert unknown.result["items"][0]["errors"][0]["error"] == "INVALID_INPUT_DATA"
        told = await self.sent(api, {"className": "incident", "values": {}}, {"className": "cmdb_ci"})
        assert [one["errorCount"] for one in told["items"]] == [1, 1]
        assert api.instance.tables.count("cmdb_ci") == 0

    async def test_without_a_source_a_payload_is_incomplete(self) -> None:
        """Kept, not carried out."""
        told = (await apis().post(IRE, {"items": [self.vm()]}, user=AGENT)).result["items"][0]
        assert (told["operation"], told["sysId"]) == ("INSERT_AS_INCOMPLETE", "Unknown")

    async def test_too_few_attributes_are_an_error_or_a_partial_payload(self) -> None:
        """The enhanced API keeps what the plain one refuses."""
        api = apis()
        item = {"className": "cmdb_ci_vm_instance", "values": {"memory": "8"}}
        plain = (await self.sent(api, item))["items"][0]
        assert plain["errors"][0]["error"] == "MISSING_MATCHING_ATTRIBUTES"
        kept = (await self.sent(api, item, path=f"{IRE}/enhanced"))["items"][0]
        assert (kept["operation"], kept["warnings"][0]["error"]) == ("INSERT_AS_PARTIAL", "MISSING_MATCHING_ATTRIBUTES")

    async def test_several_matches_are_said_and_the_oldest_is_taken(self) -> None:
        """MULTI_MATCH."""
        api = apis()
        rows = [api.instance.insert("cmdb_ci_vm_instance", {"object_id": VM})["sys_id"] for _ in range(2)]
        told = (await self.sent(api, self.vm()))["items"][0]
        assert told["identificationAttempts"][0]["attemptResult"] == "MULTI_MATCH"
        assert told["sysId"] == rows[0]

    async def test_a_class_is_made_more_exact_but_not_less(self) -> None:
        """A computer becomes a Windows server; the way back is not taken."""
        api = apis()
        item = {"className": "cmdb_ci_computer", "values": {"name": "srv-1"}}
        made = (await self.sent(api, item))["items"][0]
        await self.sent(api, {**item, "className": "cmdb_ci_win_server"})
        await self.sent(api, item)
        assert api.instance.get("cmdb_ci", made["sysId"])["sys_class_name"] == "cmdb_ci_win_server"

    async def test_relations_are_made_once(self) -> None:
        """By index or by internal_id; an unknown type is an error inside."""
        api = apis()
        region = {"className": "cmdb_ci_azure_datacenter", "internal_id": "r", "values": {"object_id": "we"}}
        by_index = {"parent": 0, "child": 1, "type": "Hosted on::Hosts"}
        by_name = {"parent_id": "v", "child_id": "r", "type": "Hosted on::Hosts"}
        machine = {**self.vm(), "internal_id": "v"}
        first = await self.sent(api, machine, region, relations=[by_index, {**by_index, "type": "no"}])
        assert [one["operation"] for one in first["relations"]] == ["INSERT", "NO_CHANGE"]
        assert [one["errorCount"] for one in first["relations"]] == [0, 1]
        again = await self.sent(api, machine, region, relations=[by_name])
        assert [one["operation"] for one in again["relations"]] == ["NO_CHANGE"]
        assert api.instance.tables.count("cmdb_rel_ci") == 1

    async def test_a_summary_counts_by_class(self) -> None:
        """If it is asked for."""
        api = apis()
        path = f"{IRE}/enhanced?sysparm_data_source=SG-Azure&options=generate_summary:true"
        told = (await api.post(path, {"items": [self.vm(), {"className": "no"}]}, user=AGENT)).result
        assert (told["hasError"], told["summary"]["cmdb_ci_vm_instance"]["inserted"]) == (True, 1)

    async def test_only_itil_and_asset_may_ask(self) -> None:
        """Others are refused."""
        assert (await apis().post(IRE, {"items": []}, user="event.integration")).status == 403
