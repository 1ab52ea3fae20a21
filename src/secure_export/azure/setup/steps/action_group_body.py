"""What an action group says and should say; pure. A write replaces it whole: nothing but our webhook ever changes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from secure_export.azure.setup.change import Difference, digest_of
from secure_export.azure.setup.wanted import WantedGroup

MOST_WEBHOOKS = 10
Json = dict[str, Any]


def receiver(group: WantedGroup, *, tenant_id: str, application_id: str, identifier_uri: str) -> Json:
    """Give our webhook as Azure Resource Manager has it (actionGroups, ``WebhookReceiver``)."""
    return {
        "name": group.receiver,
        "serviceUri": group.service_uri,
        "useCommonAlertSchema": True,
        "useAadAuth": True,
        "objectId": application_id,
        "identifierUri": identifier_uri,
        "tenantId": tenant_id,
    }


def find_receiver(there: Mapping[str, Any], name: str) -> Json | None:
    """Find a webhook by its name, in any case."""
    webhooks = (there.get("properties") or {}).get("webhookReceivers") or ()
    return next((one for one in webhooks if _is_called(one, name)), None)


def why_not(there: Mapping[str, Any], receiver_name: str) -> str | None:
    """Say why our webhook cannot be put into an action group that is there; None: it can."""
    if not (there.get("properties") or {}).get("enabled", True):
        return "it is disabled, so that nobody is called; enable it, or name another one"
    for kind, one in receivers_of(there):
        if kind != "webhookReceivers" and _is_called(one, receiver_name):
            return (
                f"another receiver ({kind}) is called '{receiver_name}' already; "
                "give ours another name as azure.action_groups.….receiver"
            )
    secure = [one for kind, one in receivers_of(there) if kind == "webhookReceivers" and one.get("useAadAuth")]
    others = [one for one in secure if not _is_called(one, receiver_name)]
    if len(others) >= MOST_WEBHOOKS:
        return f"it has {MOST_WEBHOOKS} secure webhooks already, which is the most; name another action group"
    return None


def differences_of(there: Mapping[str, Any], receiver: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Say what of our webhook has to change in an action group that is there."""
    own = find_receiver(there, str(receiver["name"]))
    if own is None:
        return tuple(Difference(f"webhookReceivers.{name}", "", _text(value)) for name, value in receiver.items())
    return tuple(
        Difference(f"webhookReceivers.{name}", _text(own.get(name)), _text(value))
        for name, value in receiver.items()
        if name != "name" and not _is_same(name, own.get(name), value)
    )


def all_new(receiver: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Say what a new action group has."""
    return tuple(Difference(name, "", _text(value)) for name, value in receiver.items())


def merged(there: Mapping[str, Any] | None, receiver: Mapping[str, Any], short_name: str) -> Json:
    """Give the whole action group with our webhook in it.

    Args:
        there: What is there, as its API version shows it; None: nothing.
        receiver: Our webhook.
        short_name: The short name of a new one.
    """
    if there is None:
        new = {"groupShortName": short_name, "enabled": True, "webhookReceivers": [dict(receiver)]}
        return {"location": "Global", "properties": new}
    name = str(receiver["name"])
    properties = dict(there.get("properties") or {})
    webhooks = [dict(one) for one in properties.get("webhookReceivers") or ()]
    own = find_receiver(there, name)
    if own is None:
        properties["webhookReceivers"] = [*webhooks, dict(receiver)]
    else:
        known = {**own, **receiver, "name": own["name"]}
        properties["webhookReceivers"] = [known if _is_called(one, name) else one for one in webhooks]
    return {**there, "properties": properties}


def without(there: Mapping[str, Any], name: str, *, instead: Mapping[str, Any] | None = None) -> Json:
    """Give an action group without our webhook, or with what was in its place before."""
    properties = dict(there.get("properties") or {})
    put: list[Json] = [] if instead is None else [dict(instead)]
    webhooks: list[Json] = properties.get("webhookReceivers") or []
    kept: list[Json] = []
    for one in webhooks:
        kept += put if _is_called(one, name) else [dict(one)]
    properties["webhookReceivers"] = kept
    return {**there, "properties": properties}


def receivers_of(there: Mapping[str, Any]) -> list[tuple[str, Json]]:
    """List all receivers with their kind, such as ``emailReceivers``."""
    return [
        (kind, one)
        for kind, ones in (there.get("properties") or {}).items()
        if kind.endswith("Receivers") and isinstance(ones, Sequence)
        for one in ones
    ]


def digest_of_others(there: Mapping[str, Any], own: Iterable[str]) -> str:
    """Give a text that changes whenever anything but our webhooks does.

    Args:
        there: The action group.
        own: The names of our webhooks in it.
    """
    for name in own:
        there = without(there, name)
    tags, properties = there.get("tags"), there.get("properties")
    return digest_of({"tags": tags, "properties": properties})


def _is_called(one: Mapping[str, Any], name: str) -> bool:
    return str(one.get("name", "")).lower() == name.lower()


def _is_same(name: str, has: Any, wanted: Any) -> bool:
    """Compare two values; ids are the same in any case, addresses are not."""
    if name == "serviceUri":
        return bool(has == wanted)
    return _text(has).lower() == _text(wanted).lower()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
