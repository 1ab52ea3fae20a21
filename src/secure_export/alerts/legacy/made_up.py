"""What the legacy schemas lack: an id for the alert, and the warning that they should not be used.

An id is made of what makes the alert what it is, so that the same alert has the same id whenever it comes. It begins
like an ARM id, so that the subscription can be read from it.
"""

import hashlib
import re
from typing import Any

import msgspec

_DIGEST_BYTES = 16
_NOT_IN_IDS = re.compile(r"[/\s\x00-\x1f]+")


def made_up_id(schema: str, subscription: str, *parts: str) -> str:
    """Make an id.

    Args:
        schema: Which schema, such as ``metric``.
        subscription: The subscription that the body names; empty when it names none.
        parts: What tells this alert from others, in any case.
    """
    said = "".join(f"{len(part)}:{part}" for part in (part.lower() for part in parts))
    digest = hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=_DIGEST_BYTES).hexdigest()
    scope = f"/subscriptions/{_NOT_IN_IDS.sub('-', subscription).lower()}" if subscription else ""
    return f"{scope}/legacy/{schema}/{digest}"


def warning(schema: str) -> str:
    """Say what an administrator should do about alerts in a legacy schema."""
    return (
        f"This alert came in the legacy schema {schema}, because the common alert schema is off for the action that "
        "sent it. In the Azure portal open Monitor, Alerts, Action groups, edit the webhook action of the group and "
        'set "Enable the common alert schema" to Yes; until then details and affected resources can be missing.'
    )


def context_of(value: Any) -> msgspec.Raw:
    """Write a context that was put into the form of the common alert schema."""
    return msgspec.Raw(msgspec.json.encode(value))
