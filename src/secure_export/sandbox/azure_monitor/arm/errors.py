"""Refusals in ARM's two forms: the front door's, and the flat one of Microsoft.Insights (entra-facts 0.5 and 6)."""

from typing import Any, Final

from secure_export.sandbox.reply import Reply, json_reply
from secure_export.sandbox.rest_call import RestError

TOO_MANY: Final = "TooManyRequests"


def error_reply(status: int, code: str, message: str, **more: Any) -> Reply:
    """Put an error into the front door's form."""
    return json_reply(status, {"error": {"code": code, "message": message, **more}})


def refused(status: int, code: str, message: str) -> RestError:
    """Refuse as the front door does."""
    return RestError(error_reply(status, code, message))


def flat(status: int, code: str, message: str) -> RestError:
    """Refuse as Microsoft.Insights does."""
    return RestError(json_reply(status, {"code": code, "message": message}))


def bad_request(message: str, code: str = "BadRequest") -> RestError:
    """Say what is wrong with a request, in the front door's form."""
    return refused(400, code, message)


def throttled(seconds: int, code: str, message: str) -> RestError:
    """Say that there were too many requests."""
    return RestError(error_reply(429, code, message).with_headers({"Retry-After": str(seconds)}))


def unauthenticated(code: str, message: str) -> RestError:
    """Say that there is no token, or none that ARM takes."""
    login = "https://login.microsoftonline.com/"
    challenge = f'Bearer authorization_uri="{login}", error="invalid_token", error_description="{message}"'
    return RestError(error_reply(401, code, message).with_headers({"WWW-Authenticate": challenge}))


def resource_not_found(kind: str, name: str, group: str) -> RestError:
    """Say that there is no such resource."""
    return refused(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix",
    )


def group_not_found(group: str) -> RestError:
    """Say that there is no such resource group."""
    return refused(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def subscription_not_found(subscription: str) -> RestError:
    """Say that there is no such subscription."""
    return refused(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
