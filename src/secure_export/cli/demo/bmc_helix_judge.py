"""Whether BMC's own incidents are as the round has to leave them, whatever the service's store says."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from secure_export.cli.demo.bmc_helix_cmdb import cis_of
from secure_export.cli.demo.tool import Result
from secure_export.sandbox.azure_monitor.estate import Estate
from secure_export.sandbox.azure_monitor.scenario import Binding, Expectation
from secure_export.sandbox.bmc_helix import looking
from secure_export.sandbox.bmc_helix.forms.cmdb import GOLDEN
from secure_export.sandbox.bmc_helix.server import ArServer

Incident = Mapping[str, Any]

NUMBER: Final = "Incident Number"
KEY: Final = "Vendor Ticket Number"
_OPEN: Final = frozenset({"New", "Assigned", "In Progress", "Pending"})
_NOT_TAKEN: Final = frozenset({"New", "Assigned"})


def looks_by_number(server: ArServer) -> dict[str, Any]:
    """Give what each incident looks like, with work info and relations; taken before the round, they are others'."""
    return {
        one[NUMBER]: (one, looking.work_info(server, one[NUMBER]), looking.relations(server, one[NUMBER]))
        for one in looking.incidents(server)
    }


def an_open_record(server: ArServer, results: Sequence[Result]) -> Incident | None:
    """Give the newest incident about a CI that nobody has taken and whose alert still fires."""
    firing = {item["number"] for result in results if not result.wanted.is_resolved for item in result.items}
    free = [
        one
        for one in looking.incidents(server)
        if one[NUMBER] in firing and one["Status"] in _NOT_TAKEN and one["HPD_CI"] and not one["Assignee"]
    ]
    return max(free, key=lambda one: one[NUMBER], default=None)


def complaints(server: ArServer, estate: Estate, results: Sequence[Result], of_others: Mapping[str, Any]) -> list[str]:
    """Say what is not as it should be.

    Args:
        server: The stand-in.
        estate: What the alerts were about.
        results: What has to come of each problem, and the work items that came of it.
        of_others: ``looks_by_number`` from before the round.
    """
    ours = {one[NUMBER]: one for one in looking.incidents(server) if one[NUMBER] not in of_others}
    found = [
        f"{result.wanted.problem}: {complaint}"
        for result in results
        for item in result.items
        for complaint in _of_item(server, estate, result.wanted, item, ours.get(item["number"]))
    ]
    return [*found, *_of_all(server, ours, results, of_others)]


def _of_all(
    server: ArServer, ours: Mapping[str, Incident], results: Sequence[Result], of_others: Mapping[str, Any]
) -> Iterator[str]:
    """Complain of twins, of incidents that belong to no work item, and of touched incidents of other people."""
    for key, count in Counter(one[KEY] for one in ours.values()).items():
        if count > 1:
            yield f"BMC Helix has {count} incidents for {key}"
    known = {item["number"] for result in results for item in result.items}
    for number in ours:
        if number not in known:
            yield f"{number} in BMC Helix belongs to no work item"
    now = looks_by_number(server)
    for number, looks in of_others.items():
        if now.get(number) != looks:
            yield f"somebody else's incident {number} was changed"


def _of_item(
    server: ArServer, estate: Estate, wanted: Expectation, item: Mapping[str, Any], found: Incident | None
) -> Iterator[str]:
    number = item["number"]
    if found is None:
        yield f"{number} is not in BMC Helix"
        return
    if not (item["url"] or "").endswith(f"eid={found['Entry ID']}"):
        yield f"the link {item['url']} does not lead to {number}"
    status = found["Status"]
    if wanted.is_resolved and (status != "Resolved" or not (found["Status_Reason"] and found["Resolution"])):
        yield f"{number} is not resolved in BMC Helix: {status}, reason {found['Status_Reason']!r}"
    if not wanted.is_resolved and status not in _OPEN:
        yield f"{number} is not open in BMC Helix: {status}"
    yield from _of_binding(server, estate, wanted, found)


def _of_binding(server: ArServer, estate: Estate, wanted: Expectation, found: Incident) -> Iterator[str]:
    number, identity = found[NUMBER], found["HPD_CI_ReconID"]
    if identity is None:
        if wanted.binding is Binding.BOUND:
            yield f"{number} has no CI in BMC Helix"
        return
    if wanted.binding is Binding.UNBOUND:
        yield f"{number} has the CI {found['HPD_CI']} in BMC Helix, which it is not about"
        return
    if wanted.resource_id is not None and identity not in _right_ones(server, estate, wanted.resource_id):
        yield f"{number} has the CI {found['HPD_CI']} ({identity}) in BMC Helix, not {wanted.resource_id}"
    yield from _of_four_values(server, found)


def _of_four_values(server: ArServer, found: Incident) -> Iterator[str]:
    """Complain unless name and class are those of the CI, and the relation that needs all four values is there."""
    number, identity = found[NUMBER], found["HPD_CI_ReconID"]
    told = (identity, found["HPD_CI"], found["HPD_CI_FormName"])
    golden = [ci for ci in looking.cis(server) if ci["DatasetId"] == GOLDEN]
    if told not in {(ci["ReconciliationIdentity"], ci["Name"], ci["ClassId"]) for ci in golden}:
        yield f"{number} names its CI {told[1]} of {told[2]}, which is not what the CMDB says of {identity}"
    if identity not in {one["Request ID01"] for one in looking.relations(server, number)}:
        yield f"{number} is not related to its CI {found['HPD_CI']}: one of the four values is missing"


def _right_ones(server: ArServer, estate: Estate, resource_id: str) -> list[str]:
    wanted = resource_id.lower()
    return cis_of(server, next(one for one in estate.resources if one.id.lower() == wanted))
