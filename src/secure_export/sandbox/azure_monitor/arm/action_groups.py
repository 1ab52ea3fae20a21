"""Action groups: what Azure takes, and who may point a secure webhook where (entra-facts section 6)."""

import json
from typing import Any, Final
from urllib.parse import urlsplit

from secure_export.sandbox.azure_monitor.action_group import LONGEST_SHORT_NAME, ActionGroup, Webhook
from secure_export.sandbox.azure_monitor.arm.errors import flat
from secure_export.sandbox.azure_monitor.arm.visit import Visit
from secure_export.sandbox.azure_monitor.arm.world import Row

# Each kind of receiver: what it may say, what it must, and how many there may be (entra-facts 6, azure-facts 2.2).
RECEIVERS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...], int]]] = {
    "emailReceivers": (("name", "emailAddress", "useCommonAlertSchema"), ("name", "emailAddress"), 1000),
    "smsReceivers": (("name", "countryCode", "phoneNumber"), ("name", "countryCode", "phoneNumber"), 10),
    "webhookReceivers": (
        ("name", "serviceUri", "useCommonAlertSchema", "useAadAuth", "objectId", "identifierUri", "tenantId"),
        ("name", "serviceUri"),
        20,
    ),
    "itsmReceivers": (
        ("name", "workspaceId", "connectionId", "ticketConfiguration", "region"),
        ("name", "workspaceId", "connectionId", "ticketConfiguration", "region"),
        10,
    ),
    "azureAppPushReceivers": (("name", "emailAddress"), ("name", "emailAddress"), 10),
    "automationRunbookReceivers": (
        (
            "name",
            "automationAccountId",
            "runbookName",
            "webhookResourceId",
            "isGlobalRunbook",
            "serviceUri",
            "useCommonAlertSchema",
        ),
        ("automationAccountId", "runbookName", "webhookResourceId", "isGlobalRunbook"),
        10,
    ),
    "voiceReceivers": (("name", "countryCode", "phoneNumber"), ("name", "countryCode", "phoneNumber"), 10),
    "logicAppReceivers": (
        ("name", "resourceId", "callbackUrl", "useCommonAlertSchema"),
        ("name", "resourceId", "callbackUrl"),
        10,
    ),
    "azureFunctionReceivers": (
        ("name", "functionAppResourceId", "functionName", "httpTriggerUrl", "useCommonAlertSchema"),
        ("name", "functionAppResourceId", "functionName", "httpTriggerUrl"),
        10,
    ),
    "armRoleReceivers": (("name", "roleId", "useCommonAlertSchema"), ("name", "roleId"), 10),
    "eventHubReceivers": (
        ("name", "eventHubNameSpace", "eventHubName", "tenantId", "subscriptionId", "useCommonAlertSchema"),
        ("name", "eventHubNameSpace", "eventHubName", "subscriptionId"),
        10,
    ),
}
MOST_OF_A_KIND: Final = 10
_FLAGS: Final = ("useCommonAlertSchema", "useAadAuth", "isGlobalRunbook")
_SECURE_SINCE: Final = "2019-06-01"
_SECURE: Final = ("objectId", "identifierUri", "tenantId")


async def check(visit: Visit, row: Row) -> Row:
    """Take an action group as Azure does: what it does not know is dropped, what is missing is set.

    Raises:
        RestError: Azure takes no such group.
    """
    said = row["properties"]
    _check_head(said)
    receivers = {kind: _receivers(kind, said.get(kind)) for kind in RECEIVERS}
    _check_names(receivers)
    receivers["webhookReceivers"] = [await checked_webhook(visit, one) for one in receivers["webhookReceivers"]]
    _check_webhook_counts(receivers["webhookReceivers"])
    for one in receivers["itsmReceivers"]:
        _check_itsm(one)
    return {**row, "properties": {"groupShortName": said["groupShortName"], "enabled": said["enabled"], **receivers}}


def changed(visit: Visit, group_id: str, row: Row | None) -> None:
    """Let Azure Monitor know what to call from now on."""
    groups = visit.world.monitor.groups
    if row is None:
        groups.pop(group_id.lower(), None)
        return
    visit.world.monitor.put_group(as_group(row))


def as_group(row: Row) -> ActionGroup:
    """Give an action group as Azure Monitor calls it, by its id."""
    said = row["properties"]
    webhooks = tuple(as_webhook(one) for one in said["webhookReceivers"])
    return ActionGroup(row["id"], said["groupShortName"], webhooks, said["enabled"])


def as_webhook(receiver: Row) -> Webhook:
    """Give a webhook receiver as Azure Monitor calls it."""
    secure = receiver.get("useAadAuth", False)
    return Webhook(
        receiver["name"],
        receiver["serviceUri"],
        use_common_alert_schema=receiver.get("useCommonAlertSchema", False),
        use_aad_auth=secure,
        object_id=receiver.get("objectId", "") if secure else "",
        identifier_uri=receiver.get("identifierUri", "") if secure else "",
        tenant_id=receiver.get("tenantId", "") if secure else "",
    )


async def checked_webhook(visit: Visit, receiver: Row) -> Row:
    """Take a webhook receiver; one with a token only from an owner of the application that the token is for.

    Raises:
        RestError: Azure takes no such receiver from this caller.
    """
    uri = urlsplit(receiver["serviceUri"])
    if uri.scheme not in {"http", "https"} or not uri.netloc:
        raise _bad(f"The serviceUri '{receiver['serviceUri']}' of receiver '{receiver['name']}' is not a valid URI.")
    known = {"useCommonAlertSchema": False, "useAadAuth": False, **receiver}
    if visit.version < _SECURE_SINCE:
        return {name: value for name, value in known.items() if name not in {*_SECURE, "useAadAuth"}}
    if not known["useAadAuth"]:
        return known
    return await _secure(visit, known)


async def _secure(visit: Visit, receiver: Row) -> Row:
    if not receiver.get("objectId"):
        raise _bad(
            f"Webhook receiver '{receiver['name']}' uses Entra authentication but has no auth context: objectId."
        )
    tenant = receiver.get("tenantId") or visit.subscription().tenant
    application = await visit.world.directory.application(tenant, receiver["objectId"])
    owners = frozenset() if application is None else application.owners
    if application is None or (visit.world.behaviour.owner_check and visit.caller.object_id not in owners):
        raise _refused_webhook(
            visit,
            "AadWebhookResourceNotOwnedByCaller",
            f"The caller {visit.caller.object_id} is not an owner of the application object {receiver['objectId']}.",
        )
    uri = receiver.get("identifierUri") or next(iter(application.identifier_uris), None)
    if uri is None or uri.lower() not in {one.lower() for one in application.identifier_uris}:
        raise _refused_webhook(
            visit,
            "AadWebhookApplicationUriNotFound",
            f"The application {receiver['objectId']} has no such identifier URI.",
        )
    return {**receiver, "identifierUri": uri, "tenantId": tenant}


def _refused_webhook(visit: Visit, code: str, message: str) -> Exception:
    return flat(visit.world.behaviour.webhook_refusal_status, code, message)


def _check_head(said: Row) -> None:
    name = said.get("groupShortName")
    if not isinstance(name, str) or not name.strip():
        raise _bad("The groupShortName is required.")
    if len(name) > LONGEST_SHORT_NAME:
        raise _bad(f"The groupShortName '{name}' is longer than {LONGEST_SHORT_NAME} characters.")
    if not isinstance(said.get("enabled"), bool):
        raise _bad("The property enabled is required.")


def _receivers(kind: str, said: Any) -> list[Row]:
    names, required, most = RECEIVERS[kind]
    if said is None:
        return []
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        raise _bad(f"The property {kind} must be a list of receivers.")
    if len(said) > most:
        raise _bad(f"There are more than {most} {kind}.")
    for one in said:
        for name in required:
            if one.get(name) in (None, ""):
                raise _bad(f"The property {name} of a receiver in {kind} is required.")
        for name in names:
            if one.get(name) is not None and isinstance(one[name], bool) != (name in _FLAGS):
                raise _bad(f"The property {name} of receiver '{one.get('name')}' has the wrong type.")
    return [{name: one[name] for name in names if one.get(name) is not None} for one in said]


def _check_names(receivers: dict[str, list[Row]]) -> None:
    names = [one["name"].lower() for kind in receivers.values() for one in kind if "name" in one]
    if len(set(names)) < len(names):
        twice = next(one for one in names if names.count(one) > 1)
        raise _bad(f"Receiver names must be unique within an action group: '{twice}'.", "DuplicateReceiverName")


def _check_webhook_counts(webhooks: list[Row]) -> None:
    secure = sum(bool(one.get("useAadAuth")) for one in webhooks)
    if max(secure, len(webhooks) - secure) > MOST_OF_A_KIND:
        raise _bad(f"There are more than {MOST_OF_A_KIND} webhook receivers of one kind.")


def _check_itsm(receiver: Row) -> None:
    try:
        said = json.loads(receiver["ticketConfiguration"])
    except ValueError:
        said = None
    if said == {}:  # in life an error of the server's own (azure-facts 2.1)
        raise flat(500, "InternalServerError", "An internal server error occurred.")
    if not isinstance(said, dict) or not {"PayloadRevision", "WorkItemType"} <= said.keys():
        raise _bad("The ticketConfiguration needs PayloadRevision and WorkItemType.")
    if "|" not in receiver["workspaceId"]:
        raise _bad("The workspaceId must be <subscription id>|<workspace id>.")


def _bad(message: str, code: str = "BadRequest") -> Exception:
    return flat(400, code, message)
