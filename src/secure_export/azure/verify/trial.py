"""Has Azure send a test notification through the action group, and follows how it went."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from secure_export.azure.errors import AzureRefused
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.steps.action_group import API_VERSION, find_receiver, read
from secure_export.azure.setup.wanted import WantedGroup
from secure_export.azure.verify.finding import Finding

DEFAULT_ALERT_TYPE = "metricstaticthreshold"
_PATIENCE_SECONDS = 240.0
_FIRST_POLL_SECONDS = 0.25
_LONGEST_POLL_SECONDS = 4.0
_DONE = {"completed", "succeeded", "failed"}

# What the result of a test says, the cause, and what to do (Azure Monitor docs, "Test action group errors").
_CAUSES: dict[str, str] = {
    r"aadwebhookresourcenotownedbycaller": "who sends the test must be an owner of the app registration: add the "
    "object id under azure.application.owners, and run 'azure apply --only entra'",
    r"aadwebhookapplicationurinotfound": "the app registration has no identifier URI: run 'azure apply --only entra'",
    r"authorizationfailed": "you may not send tests: the role Monitoring Contributor allows it",
    r"notassigned|aadsts501051": "Entra ID gives action groups no token: the role assignment is missing; "
    "run 'azure apply --only entra'",
    r"aadsts500011": "Entra ID does not know the identifier URI that the action group names; run 'azure apply'",
    r"blocked for up to|are blocked": "Azure has tried in vain and calls this address no more for a while: mend the "
    "cause (is the service running, and reachable from the service tag ActionGroup?), and wait 15 minutes",
    r"\b401\b|unauthorized": "the service did not take the token: identity.tenant_id or identity.audience do not fit "
    "it; its log says which rule the token broke",
    r"\b403\b|forbidden": "the token was taken, but lacks the role, or the subscription is not listed: after a new "
    "role assignment action groups may go on with an old token for up to 90 minutes; the service's log says which",
    r"\b404\b|not found": "there is no such connection at that address: compare azure.action_groups.….connection",
    r"\b413\b|too large": "a proxy before the service refuses the size: allow 1 MiB",
    r"\b50[0-9]\b|bad gateway|unavailable": "the service, or a proxy before it, answers errors: look at /readyz",
    r"timed? ?out|taskcanceled|did not respond": "the service did not answer in time: let the service tag ActionGroup "
    "in, and look at /readyz",
    r"could not be resolved|dns|no such host": "the name in the address is not known to public DNS",
    r"ssl|tls|certificate": "Azure does not trust the certificate: use one of a public authority, with its chain",
    r"refused|connect": "nothing listens at that address: is the service running?",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """How a test went.

    Attributes:
        finding: Whether Azure delivered it.
        waited_seconds: How long that took.
    """

    finding: Finding
    waited_seconds: float


def cause_of(text: str) -> str:
    """Say what a failed test means and what to do, by Azure's text of it."""
    lowered = text.lower()
    found = next((why for pattern, why in _CAUSES.items() if re.search(pattern, lowered)), None)
    return found or "look up the text under 'Test action group errors' in the Azure Monitor docs"


async def send_test(
    context: Context,
    group: WantedGroup,
    *,
    alert_type: str = DEFAULT_ALERT_TYPE,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Sent:
    """Send a test notification to our webhook alone, and poll until Azure says how it went.

    Args:
        context: The tenant.
        group: Whose webhook.
        alert_type: Which of Azure's samples (REST API, ``NotificationRequestBody.alertType``).
        sleep: Waits for seconds.
    """
    link = f"test notification of {group.name}"
    there = await read(context, group.path)
    receiver = find_receiver(there, group.receiver) if there is not None else None
    if receiver is None:
        return Sent(
            Finding(link, None, "the action group has no webhook of ours; run 'secure-export azure apply'"), 0.0
        )
    body = {"alertType": alert_type, "webhookReceivers": [receiver]}
    try:
        answer = await context.manager.call(
            "POST", f"{group.path}/createNotifications", query={"api-version": API_VERSION}, json=body
        )
        where = answer.header("Location")
        if where is None:
            return Sent(Finding(link, None, "Azure took the test, and did not say where its result is told"), 0.0)
        waited, pause = 0.0, _FIRST_POLL_SECONDS
        while waited < _PATIENCE_SECONDS:
            told = (await context.manager.call("GET", where)).body or {}
            if str(told.get("state", "")).lower() in _DONE:
                return Sent(finding_of(link, told), waited)
            await sleep(pause)
            waited, pause = waited + pause, min(pause * 2, _LONGEST_POLL_SECONDS)
    except AzureRefused as error:
        return Sent(Finding(link, holds=False, detail=f"{error}; {cause_of(f'{error.code} {error.said}')}"), 0.0)
    detail = f"Azure did not say how it went within {_PATIENCE_SECONDS:.0f} s"
    return Sent(Finding(link, None, detail), _PATIENCE_SECONDS)


def finding_of(link: str, told: Mapping[str, Any]) -> Finding:
    """Judge the status of a test; inner keys are in PascalCase (actionGroups example, ``notificationStatus``)."""
    details: Sequence[Mapping[str, Any]] = told.get("actionDetails") or ()
    failed = [one for one in details if str(one.get("Status", "")).lower() not in {"completed", "succeeded"}]
    if details and not failed:
        return Finding(link, holds=True)
    text = "; ".join(str(one.get("Detail") or one.get("SubState") or one.get("Status")) for one in failed)
    return Finding(link, holds=False, detail=f"Azure says: {text or told.get('state')}: {cause_of(text)}")
