"""Checks the links that can be read: Entra ID, the action group, the configuration, and the way to the service."""

import ssl

import aiohttp

from secure_export.azure.errors import AzureRefused
from secure_export.azure.setup.change import Action, Change
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.steps.owner import Owner
from secure_export.azure.setup.walk import steps_of
from secure_export.azure.setup.wanted import WantedGroup
from secure_export.azure.verify.finding import Finding

_TIMEOUT_SECONDS = 10.0  # Azure's classic patience with a webhook (Azure Monitor docs, action groups)
_UNAUTHORIZED = 401
_NOT_READY = 503


async def set_up(context: Context, *, tests: bool = True) -> list[Finding]:
    """Say of each thing that ``azure apply`` makes whether it is as it should be.

    Args:
        context: The tenant.
        tests: Whether a test is sent afterwards, for which one must own the app registration.
    """
    findings: list[Finding] = []
    for step in await steps_of(context):
        if isinstance(step, Owner) and step.name not in _owners(context, tests=tests):
            continue
        try:
            findings.append(finding_of(await step.compare(context)))
        except AzureRefused as error:
            findings.append(Finding(f"{step.kind} {step.name}", None, f"it cannot be read: {error}"))
    return findings


def _owners(context: Context, *, tests: bool) -> set[str]:
    return {*context.wanted.application.owners, *([context.me] if tests and context.me else ())}


def finding_of(change: Change) -> Finding:
    """Judge one thing by what a plan says of it."""
    if change.action is Action.KEEP:
        return Finding(change.address, holds=True)
    if change.action is Action.BLOCKED:
        return Finding(change.address, holds=False, detail=change.reason)
    wrong = "; ".join(f"{d.name} is {d.before or 'missing'}, not {d.after}" for d in change.differences)
    cause = "it is not there" if change.action is Action.CREATE else wrong
    if change.kind == Owner.kind:
        cause = "it does not own the app registration, and so cannot change or test the action group"
    return Finding(change.address, holds=False, detail=f"{cause}; run 'secure-export azure apply'")


def configured(
    context: Context, *, audience: tuple[str, ...], callers: tuple[str, ...], subscriptions: dict[str, list[str]]
) -> list[Finding]:
    """Say whether the service's configuration lets in what Azure will send.

    Args:
        context: The tenant, with the ids that were found.
        audience: ``identity.audience`` of the tenant.
        callers: ``identity.callers`` of the tenant.
        subscriptions: The subscriptions that each connection takes alerts of.
    """
    client_id = context.found.client_id
    findings = []
    if client_id is not None:
        mend = f'write audience = ["{client_id}"] under [identity], and restart the service'
        findings.append(_either("identity.audience", client_id in audience, f"it lacks the client id; {mend}"))
    mend = f"add {context.wanted.caller} under identity.callers"
    findings.append(
        _either("identity.callers", context.wanted.caller in callers, f"action groups are not let in; {mend}")
    )
    for group in context.wanted.groups:
        listed = [one.lower() for one in subscriptions.get(group.connection, ())]
        detail = f"add {group.subscription} under connections.{group.connection}.subscriptions, or its alerts get 403"
        holds = "*" in listed or group.subscription.lower() in listed
        findings.append(_either(f"subscription of {group.name}", holds, detail))
    return findings


async def reached(group: WantedGroup) -> Finding:
    """Ask the webhook without a token, from here: only this service says 401 with ``Bearer``."""
    link = f"webhook {group.service_uri}"
    try:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.post(group.service_uri) as answer:
            status, challenge = answer.status, answer.headers.get("WWW-Authenticate", "")
    except TimeoutError:
        detail = (
            f"no answer within {_TIMEOUT_SECONDS:.0f} s; a firewall may drop it: let the service tag ActionGroup in"
        )
        return Finding(link, holds=False, detail=detail)
    except aiohttp.ClientConnectorCertificateError as error:
        return Finding(link, holds=False, detail=f"its certificate is not trusted ({error.certificate_error}); "
                       "Azure needs one of a public authority, with its chain")  # fmt: skip
    except (aiohttp.ClientError, ssl.SSLError, OSError) as error:
        return Finding(link, holds=False, detail=f"it cannot be reached from here ({error}); check DNS, port and proxy")
    if status == _UNAUTHORIZED and challenge.lower().startswith("bearer"):
        return Finding(link, holds=True)
    if status == _NOT_READY:
        return Finding(link, holds=False, detail="the service, or a proxy before it, is not ready: look at /readyz")
    detail = f"it answered {status}, not 401: something else answers there; check the address and the proxy's paths"
    return Finding(link, holds=False, detail=detail)


def _either(link: str, holds: bool, otherwise: str) -> Finding:  # noqa: FBT001 - a verdict, and what it means
    return Finding(link, holds, "" if holds else otherwise)
