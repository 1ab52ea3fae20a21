"""The ways events come in, what becomes of them, and which CI they are bound to (servicenow-facts sections 1 and 2)."""

import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.sandbox.servicenow.apis import Apis

from secure_export.sandbox.servicenow import event_api
from secure_export.sandbox.servicenow.azure_events import NotCommonSchemaError, event_of

JSONV2 = "/api/global/em/jsonv2"
LISTENER = "/api/sn_em_connector/em/inbound_event"
SENDER = "event.integration"
SAMPLES = Path(__file__).parents[3] / "samples" / "common"
VM = "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-1"


def record(**fields: Any) -> dict[str, Any]:
    return {"source": "azure", "event_class": "Azure", "message_key": "k", "severity": "2", **fields}


async def send(apis: Apis, *records: dict[str, Any]) -> None:
    answer = await apis.post(JSONV2, {"records": list(records)}, user=SENDER)
    assert answer.status == 200


def last(apis: Apis, table: str) -> dict[str, str]:
    return list(apis.instance.tables.rows(table))[-1]


async def test_the_answer_counts_and_tells_no_ids() -> None:
    """As Kibana's and keptn's logs show it; compressed bodies are taken."""
    apis = Apis(event_api)
    body = {"records": [record(), record(message_key="other")]}
    packed = gzip.compress(json.dumps(body).encode())
    answer = await apis.post(JSONV2, packed, user=SENDER, headers={"content-encoding": "gzip"})
    assert (answer.status, answer.result) == (200, {"Default Bulk Endpoint": "2 events were inserted"})
    assert apis.instance.tables.count("em_alert") == 2


async def test_only_the_integration_role_may_send() -> None:
    """An itil user alone is refused; nobody at all is not signed in."""
    apis = Apis(event_api)
    refused = await apis.post(JSONV2, {"records": [record()]}, user="itil.agent")
    assert refused.refusal == "403 User Not Authorized / Failed API level ACL Validation"
    assert (await apis.post(JSONV2, {"records": []}, user="")).status == 401
    assert apis.instance.tables.count("em_event") == 0


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"record":[]}', b'{"records":{}}'])
async def test_a_body_without_records_is_refused(body: bytes) -> None:
    """The envelope says so."""
    assert (await Apis(event_api).post(JSONV2, body, user=SENDER)).status == 400


async def test_a_body_that_is_not_gzip_or_too_large_is_refused() -> None:
    """The properties say how large a body may be."""
    apis = Apis(event_api)
    broken = await apis.post(JSONV2, b"no gzip", user=SENDER, headers={"content-encoding": "gzip"})
    assert broken.status == 400
    apis.instance.properties.set("glide.rest.max_content_length", "0")
    assert (await apis.post(JSONV2, {"records": [record()]}, user=SENDER)).status == 413


async def test_an_object_in_additional_info_is_stored_as_a_script_would() -> None:
    """``[object Object]``: the texts inside are lost, and the alert says so."""
    apis = Apis(event_api)
    await send(apis, record(additional_info={"CPU": "100"}))
    assert last(apis, "em_event")["additional_info"] == "[object Object]"
    assert json.loads(last(apis, "em_alert")["additional_info"]) == {"additional_content": "[object Object]"}


async def test_an_event_becomes_an_alert_that_follows_it() -> None:
    """Made, updated and counted, closed, reopened inside the active interval, made anew after it."""
    apis = Apis(event_api)
    apis.instance.properties.set("evt_mgmt.active_interval", "3600")
    await send(apis, record(description="first"))
    alert = last(apis, "em_alert")
    assert alert["number"].startswith("Alert")
    event = last(apis, "em_event")
    assert (event["state"], event["alert"]) == ("Processed", alert["sys_id"])
    await send(apis, record(severity="1", description="second"))
    assert (last(apis, "em_alert")["event_count"], last(apis, "em_alert")["severity"]) == ("2", "1")
    await send(apis, record(severity="0", resolution_state="Closing"))
    assert last(apis, "em_alert")["state"] == "Closed"
    await send(apis, record())
    assert last(apis, "em_alert")["state"] == "Reopen"
    await send(apis, record(severity="0"))
    apis.instance.clock.move(timedelta(hours=2))
    await send(apis, record())
    assert [row["state"] for row in apis.instance.tables.rows("em_alert")] == ["Closed", "Open"]


async def test_a_blank_severity_is_an_error_of_the_event() -> None:
    """The event is kept with the reason, and no alert is made."""
    apis = Apis(event_api)
    await send(apis, record(severity=""))
    assert last(apis, "em_event")["state"] == "Error"
    assert "severity" in last(apis, "em_event")["processing_notes"]
    assert apis.instance.tables.count("em_alert") == 0


async def test_processing_waits_when_it_is_done_by_hand() -> None:
    """The switch keeps events ready until the job runs, as between answer and job on a real instance."""
    apis = Apis(event_api)
    apis.instance.properties.set("sandbox.event_processing", "manual")
    await send(apis, record())
    assert last(apis, "em_event")["state"] == "Ready"
    apis.instance.run_jobs("event processing")
    assert last(apis, "em_event")["state"] == "Processed"


async def test_the_push_api_runs_no_business_rules_and_the_older_one_does() -> None:
    """Both make alerts all the same; the older one answers with the records."""
    apis = Apis(event_api)
    apis.instance.before("em_event", lambda change: change.abort("No events"))
    await send(apis, record())
    assert apis.instance.tables.count("em_alert") == 1
    refused = await apis.post("/em_event.do?JSONv2&sysparm_action=insertMultiple", {"records": [record()]})
    assert (refused.status, "aborted by Business Rule 'No events^" in refused.refusal) == (403, True)


async def test_the_older_api_answers_with_the_records() -> None:
    """One or many; it takes no compression, and nothing but inserts."""
    apis = Apis(event_api)
    path = "/em_event.do?JSONv2&sysparm_action=insert"
    one = await apis.post(path, record(), user=SENDER)
    assert [row["__status"] for row in one.json["records"]] == ["success"]
    many = await apis.post(f"{path}Multiple", {"records": [record(), record()]}, user=SENDER)
    assert len(many.json["records"]) == 2
    assert last(apis, "em_alert")["event_count"] == "3"
    packed = await apis.post(path, gzip.compress(b"{}"), headers={"content-encoding": "gzip"})
    assert packed.status == 400
    assert (await apis.post("/em_event.do?JSONv2&sysparm_action=delete", {})).status == 400
    assert (await apis.post("/em_event.do?CSV", {})).status == 400


async def test_the_table_api_makes_events_too() -> None:
    """They are processed like all others."""
    apis = Apis(event_api)
    answer = await apis.post("/api/now/table/em_event", record(), user=SENDER)
    assert answer.status == 201
    assert last(apis, "em_alert")["message_key"] == "k"


class TestBinding:
    """Which CI an event is about."""

    def make(self, apis: Apis, table: str, **fields: str) -> str:
        values = {"install_status": "1", "operational_status": "1", **fields}
        return apis.instance.insert(table, values)["sys_id"]

    async def bound(self, apis: Apis, **fields: Any) -> str:
        await send(apis, record(**fields))
        assert last(apis, "em_alert")["cmdb_ci"] == last(apis, "em_event")["cmdb_ci"]
        return last(apis, "em_alert")["cmdb_ci"]

    @pytest.mark.parametrize(
        ("column", "node"),
        [("name", "SRV-1"), ("fqdn", "srv-1.example.com"), ("ip_address", "10.0.0.7"), ("mac_address", "00:0d:3a:01")],
    )
    async def test_node_finds_a_host_by_name_and_addresses(self, column: str, node: str) -> None:
        """Whatever the case of the name."""
        apis = Apis(event_api)
        host = self.make(apis, "cmdb_ci_win_server", **{column: node.lower()})
        assert await self.bound(apis, node=node) == host

    async def test_a_cloud_machine_is_no_host(self) -> None:
        """The node of a vm instance finds nothing; its class with its object_id does."""
        apis = Apis(event_api)
        machine = self.make(apis, "cmdb_ci_vm_instance", name="vm-1", object_id=VM)
        assert await self.bound(apis, node="vm-1") == ""
        assert "No CI found for binding" in last(apis, "em_event")["processing_notes"]
        info = json.dumps({"object_id": VM.lower()})
        assert await self.bound(apis, message_key="k2", ci_type="cmdb_ci_vm_instance", additional_info=info) == machine

    async def test_the_node_comes_before_the_class(self) -> None:
        """A host that the node names wins over what additional_info says."""
        apis = Apis(event_api)
        host = self.make(apis, "cmdb_ci_linux_server", name="vm-1")
        self.make(apis, "cmdb_ci_vm_instance", object_id=VM)
        info = json.dumps({"object_id": VM})
        assert await self.bound(apis, node="vm-1", ci_type="cmdb_ci_vm_instance", additional_info=info) == host

    async def test_a_ci_identifier_comes_before_additional_info(self) -> None:
        """Without a class it finds hosts."""
        apis = Apis(event_api)
        host = self.make(apis, "cmdb_ci_win_server", serial_number="S1")
        assert await self.bound(apis, ci_identifier='{"serial_number":"S1"}') == host

    async def test_retired_rows_are_ignored_unless_told_otherwise(self) -> None:
        """A resource that was made again has a dead row with the same id."""
        apis = Apis(event_api)
        dead = self.make(apis, "cmdb_ci_vm_instance", object_id=VM, install_status="7")
        live = self.make(apis, "cmdb_ci_vm_instance", object_id=VM)
        info = json.dumps({"object_id": VM})
        assert await self.bound(apis, ci_type="cmdb_ci_vm_instance", additional_info=info) == live
        apis.instance.delete("cmdb_ci_vm_instance", live)
        assert await self.bound(apis, message_key="k2", ci_type="cmdb_ci_vm_instance", additional_info=info) == ""
        apis.instance.properties.set("evt_mgmt.ignore_retired_cis_in_binding", "false")
        assert await self.bound(apis, message_key="k3", ci_type="cmdb_ci_vm_instance", additional_info=info) == dead

    async def test_several_live_rows_are_no_binding(self) -> None:
        """The note says how many."""
        apis = Apis(event_api)
        for _ in range(2):
            self.make(apis, "cmdb_ci_vm_instance", object_id=VM)
        info = json.dumps({"object_id": VM})
        assert await self.bound(apis, ci_type="cmdb_ci_vm_instance", additional_info=info) == ""
        assert "2 CIs match" in last(apis, "em_event")["processing_notes"]

    async def test_keys_that_are_no_columns_do_not_count(self) -> None:
        """A class without object_id is not found by it, and never at random."""
        apis = Apis(event_api)
        self.make(apis, "cmdb_ci_kubernetes_cluster", cluster_resource_id=VM)
        info = json.dumps({"object_id": VM})
        assert await self.bound(apis, ci_type="cmdb_ci_kubernetes_cluster", additional_info=info) == ""

    async def test_an_address_of_a_host_that_does_not_operate_is_no_match(self) -> None:
        """The property sa.active_operation_status says which operate."""
        apis = Apis(event_api)
        self.make(apis, "cmdb_ci_win_server", ip_address="10.0.0.9", operational_status="2")
        assert await self.bound(apis, node="10.0.0.9") == ""

    async def test_a_later_event_binds_an_alert_that_was_not_bound(self) -> None:
        """The CI that discovery found meanwhile."""
        apis = Apis(event_api)
        assert await self.bound(apis, node="srv-2") == ""
        host = self.make(apis, "cmdb_ci_win_server", name="srv-2")
        assert await self.bound(apis, node="srv-2") == host


class TestLinks:
    """Alerts and incidents follow each other."""

    async def linked(self, **properties: str) -> tuple[Apis, str]:
        apis = Apis(event_api)
        for name, value in properties.items():
            apis.instance.properties.set(f"evt_mgmt.{name}", value)
        apis.instance.properties.set("sandbox.evt_mgmt.create_incidents", "true")
        await send(apis, record(description="Disk full"))
        return apis, last(apis, "em_alert")["incident"]

    def incident(self, apis: Apis, sys_id: str) -> dict[str, str]:
        return apis.instance.get("incident", sys_id)

    async def test_an_alert_may_make_its_incident(self) -> None:
        """Only if the sandbox is told to; urgency follows severity."""
        apis, sys_id = await self.linked()
        assert self.incident(apis, sys_id)["short_description"] == "Disk full"
        assert self.incident(apis, sys_id)["urgency"] == "2"

    @pytest.mark.parametrize(
        ("value", "state"), [("Resolve Incident", "6"), ("Close Incident", "7"), ("Do Nothing", "1")]
    )
    async def test_a_closed_alert_ends_its_incident_as_the_property_says(self, value: str, state: str) -> None:
        """Resolve, close, or leave it."""
        apis, sys_id = await self.linked(alert_closes_incident=value)
        await send(apis, record(severity="0"))
        assert self.incident(apis, sys_id)["state"] == state

    async def test_an_incident_with_another_open_alert_stays_open(self) -> None:
        """The last alert to close ends it."""
        apis, sys_id = await self.linked()
        apis.instance.properties.set("sandbox.evt_mgmt.create_incidents", "false")
        await send(apis, record(message_key="other"))
        apis.instance.update("em_alert", last(apis, "em_alert")["sys_id"], {"incident": sys_id})
        await send(apis, record(severity="0"))
        assert self.incident(apis, sys_id)["state"] == "1"
        await send(apis, record(message_key="other", severity="0"))
        assert self.incident(apis, sys_id)["state"] == "6"

    @pytest.mark.parametrize(("value", "state"), [("true", "Closed"), ("false", "Open")])
    async def test_a_resolved_incident_closes_its_alerts(self, value: str, state: str) -> None:
        """Unless the property says no."""
        apis, sys_id = await self.linked(incident_closes_alert=value)
        solved = {"state": "6", "close_code": "Solution provided", "close_notes": "Done"}
        apis.instance.update("incident", sys_id, solved)
        assert last(apis, "em_alert")["state"] == state

    async def test_an_alert_that_is_closed_hears_nothing_more_of_its_incident(self) -> None:
        """It was closed before; the note would say otherwise."""
        apis, _ = await self.linked(alert_closes_incident="Resolve")
        await send(apis, record(severity="0"))
        sys_id = last(apis, "em_alert")["sys_id"]
        notes = apis.instance.find("sys_journal_field", f"element_id={sys_id}")
        assert last(apis, "em_alert")["state"] == "Closed"
        assert notes == []

    @pytest.mark.parametrize(
        ("value", "state", "incidents"), [("reopen", "2", 1), ("new", "6", 2), ("nothing", "6", 1)]
    )
    async def test_a_reopened_alert_does_with_its_incident_as_told(
        self, value: str, state: str, incidents: int
    ) -> None:
        """Reopen it, make a new one, or leave it resolved."""
        apis, sys_id = await self.linked(alert_reopens_incident=value)
        before = apis.instance.tables.count("incident")
        await send(apis, record(severity="0"))
        await send(apis, record())
        assert last(apis, "em_alert")["state"] == "Reopen"
        assert self.incident(apis, sys_id)["state"] == state
        assert apis.instance.tables.count("incident") == before + incidents - 1
        assert (last(apis, "em_alert")["incident"] == sys_id) == (value != "new")

    async def test_what_the_incident_refuses_is_said_on_the_alert(self) -> None:
        """A mandatory field that no job fills in keeps the incident open."""
        apis, sys_id = await self.linked()

        def refuse(change: Any) -> None:
            if change.changes_to("state", "6"):
                change.abort("Not so fast")

        apis.instance.before("incident", refuse)
        await send(apis, record(severity="0"))
        assert self.incident(apis, sys_id)["state"] == "1"
        alert = last(apis, "em_alert")
        notes = [row["value"] for row in apis.instance.find("sys_journal_field", f"element_id={alert['sys_id']}")]
        assert any("Not so fast" in note for note in notes)


class TestListener:
    """What the connector's listener makes of an alert of Azure Monitor."""

    def sample(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
        return found

    @pytest.mark.parametrize("path", [LISTENER, "/api/global/em/inbound_event"])
    async def test_fired_and_resolved_are_one_alert(self, path: str) -> None:
        """The alertId is the message key; a resolve closes it."""
        apis = Apis(event_api)
        for name in ("metric-static-fired", "metric-static-resolved"):
            answer = await apis.post(f"{path}?source=azuremonitor", self.sample(name), user=SENDER)
            assert answer.status == 200
        alerts = list(apis.instance.tables.rows("em_alert"))
        assert [row["state"] for row in alerts] == ["Closed"]
        assert alerts[0]["source"] == "Azure Monitor"

    async def test_the_instance_of_the_connector_may_be_named(self) -> None:
        """For several tenants."""
        apis = Apis(event_api)
        path = f"{LISTENER}?source=azuremonitor&event_class=tenant-1"
        await apis.post(path, self.sample("metric-static-fired"), user=SENDER)
        assert last(apis, "em_event")["event_class"] == "tenant-1"

    async def test_other_sources_and_schemas_are_refused(self) -> None:
        """Nothing listens to them."""
        apis = Apis(event_api)
        body = self.sample("metric-static-fired")
        assert (await apis.post(f"{LISTENER}?source=zabbix", body, user=SENDER)).status == 400
        assert (await apis.post(f"{LISTENER}?source=azuremonitor", {"schemaId": "x"}, user=SENDER)).status == 400
        assert apis.instance.tables.count("em_event") == 0

    @pytest.mark.parametrize(
        ("severity", "condition", "mapped"),
        [
            ("Sev0", "Fired", "1"),
            ("Sev1", "Fired", "2"),
            ("Sev2", "Fired", "4"),
            ("Sev3", "Fired", "4"),
            ("Sev4", "Fired", "5"),
            ("Sev0", "Resolved", "0"),
        ],
    )
    def test_severities_follow_the_published_table(self, severity: str, condition: str, mapped: str) -> None:
        """3 Minor is never produced (azure-integration.md)."""
        body = self.sample("metric-static-fired")
        body["data"]["essentials"] |= {"severity": severity, "monitorCondition": condition}
        assert event_of(body)["severity"] == mapped

    def test_the_resource_goes_into_additional_info(self) -> None:
        """So that a class with object_id can be bound, if the class is mapped."""
        event = event_of(self.sample("metric-static-fired"))
        info = json.loads(event["additional_info"])
        target = self.sample("metric-static-fired")["data"]["essentials"]["alertTargetIDs"][0]
        assert info["object_id"] == target
        assert event["ci_type"].lower() == "microsoft.compute/virtualmachines"

    @pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
    def test_every_sample_is_understood_or_refused(self, path: Path) -> None:
        """The reader never fails otherwise, and all it gives is text."""
        try:
            event = event_of(json.loads(path.read_text(encoding="utf-8")))
        except NotCommonSchemaError:
            return
        assert all(isinstance(value, str) for value in event.values())
