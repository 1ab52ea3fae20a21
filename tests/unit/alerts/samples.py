"""Where sample bodies are, and how a part of a body is made a whole one."""

from pathlib import Path
from typing import Any

import msgspec

from secure_export.alerts.alert import Alert
from secure_export.alerts.decode import decode

OWN = Path(__file__).parents[2] / "samples"
SHARED = Path(__file__).parents[4] / "shared" / "payloads"
"""Bodies that stand beside the checkout on some machines; tests over them are skipped elsewhere."""

SUBSCRIPTION = "8d0f6b1e-52c7-4f0a-9a3e-6f1b7c2d9e40"
CENTRAL = "c3a9d2f4-7b18-4e6d-8f25-0a94be61d7c3"
ALERT_ID = (
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/2f6d80b3-91c4-4e7a-b58d-03a7c9e1f264"
)
WEB_01 = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/shop-prod/providers/microsoft.compute/virtualmachines/web-01"
NOT_AN_ALERT = "custom-json-payload"


def own(name: str) -> bytes:
    """Give a sample of ours by folder and name, such as ``common/metric-static-fired``."""
    return (OWN / f"{name}.json").read_bytes()


def read(name: str) -> Alert:
    """Give the alert of a sample of ours."""
    return decode(own(name))


def own_names() -> list[str]:
    """Name every sample of ours that is an alert."""
    found = sorted(f"{path.parent.name}/{path.stem}" for path in OWN.glob("*/*.json"))
    return [name for name in found if not name.endswith(NOT_AN_ALERT)]


def shared_names() -> list[str]:
    """Name every body and part of a body beside the checkout that is an alert or a part of one."""
    found = sorted(path for folder in ("common", "legacy") for path in (SHARED / folder).glob("*.json"))
    return [f"{path.parent.name}/{path.stem}" for path in found if "custom-json-payload" not in path.stem]


def shared(name: str) -> bytes:
    """Give a body from beside the checkout; what is only a part is put into a whole body."""
    raw = (SHARED / f"{name}.json").read_bytes()
    value: dict[str, Any] = msgspec.json.decode(raw)
    if set(value) == {"alertContext"}:
        return body(value["alertContext"])
    return body(None, **value["essentials"]) if set(value) == {"essentials"} else raw


def body(context: object, custom: object = None, **essentials: object) -> bytes:
    """Make a whole body around a context."""
    said = {
        "alertId": ALERT_ID,
        "alertRule": "a rule",
        "severity": "Sev3",
        "monitorCondition": "Fired",
        "monitoringService": "",
        "alertTargetIDs": [WEB_01],
        "configurationItems": ["web-01"],
        "firedDateTime": "2026-03-02T09:19:17.1234567Z",
    }
    data = {"essentials": said | essentials, "alertContext": context, "customProperties": custom}
    return msgspec.json.encode({"schemaId": "azureMonitorCommonAlertSchema", "data": data})


def alert(context: object, custom: object = None, **essentials: object) -> Alert:
    """Make an alert of a whole body around a context."""
    return decode(body(context, custom, **essentials))
