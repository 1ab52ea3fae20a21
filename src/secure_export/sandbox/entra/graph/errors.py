"""Refusals in Graph's own form (entra-facts section 5 and 5.2)."""

import uuid
from typing import Any, Final

from secure_export.sandbox.reply import Reply, json_reply
from secure_export.sandbox.rest_call import RestError

BAD_REQUEST: Final = "Request_BadRequest"
NOT_UNIQUE: Final = "Request_MultipleObjectsWithSameKeyValue"
_POLICY: Final = (
    "Failed to add identifier URI {uri}. All newly added URIs must contain a tenant verified domain, tenant ID, or app "
    "ID, as per the default tenant policy of your organization. See "
    "https://aka.ms/identifier-uri-addition-error for more information on this error."
)


def error_reply(status: int, code: str, message: str) -> Reply:
    """Put an error into Graph's form."""
    inner: dict[str, Any] = {"request-id": str(uuid.uuid4()), "client-request-id": str(uuid.uuid4())}
    return json_reply(status, {"error": {"code": code, "message": message, "innerError": inner}})


def refused(status: int, code: str, message: str) -> RestError:
    """Make a refusal."""
    return RestError(error_reply(status, code, message))


def not_found(key: str) -> RestError:
    """Say that there is no such object, or that this replica has not heard of it."""
    return refused(
        404,
        "Request_ResourceNotFound",
        f"Resource '{key}' does not exist or one of its queried reference-property objects are not present.",
    )


def denied() -> RestError:
    """Say that the caller may not."""
    return refused(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def unauthorized(text: str) -> RestError:
    """Say that the token is none that Graph takes."""
    return refused(401, "InvalidAuthenticationToken", text)


def bad_request(text: str, code: str = BAD_REQUEST) -> RestError:
    """Say what is wrong with a request."""
    return refused(400, code, text)


def bad_value(name: str, kind: str) -> RestError:
    """Say that a property's value makes no sense."""
    return bad_request(f"Invalid value specified for property '{name}' of resource '{kind}'.")


def not_unique(name: str) -> RestError:
    """Say that another object has this value; it may lie among the deleted ones."""
    return bad_request(f"Another object with the same value for property {name} already exists.", NOT_UNIQUE)


def principal_exists(name: str) -> RestError:
    """Say that the application has a service principal already."""
    return refused(
        409,
        NOT_UNIQUE,
        f"The service principal cannot be created, updated, or restored because the service principal name {name} is "
        "already in use.",
    )


def no_application(app_id: str) -> RestError:
    """Say that no application has this id, or none that has reached this replica."""
    return bad_request(
        f"The appId '{app_id}' of the service principal does not reference a valid application object.",
        "NoBackingApplicationObject",
    )


def only_local_applications() -> RestError:
    """Say that a caller who may touch its own applications only makes no principal of somebody else's."""
    return refused(
        403,
        "Authorization_RequestDenied",
        "When using this permission, the backing application of the service principal being created must in the local "
        "tenant",
    )


def policy(uri: str) -> RestError:
    """Refuse an identifier URI by the tenant's policy."""
    return bad_request(_POLICY.format(uri=uri))


def unverified_domain(uri: str) -> RestError:
    """Refuse an identifier URI of a domain that is not the tenant's."""
    return bad_request(
        f"Values of identifierUris property must use a verified domain of the organization or its subdomain: '{uri}'",
        "HostNameNotOnVerifiedDomain",
    )


def still_enabled() -> RestError:
    """Refuse to delete or change a role that is enabled."""
    return bad_request(
        "Permission (scope or role) cannot be deleted or updated unless disabled first.",
        "CannotDeleteOrUpdateEnabledEntitlement",
    )
