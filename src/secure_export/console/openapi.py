"""The API's description (OpenAPI 3.1), made from the list of its operations and the types of its answers."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from secure_export import __version__
from secure_export.console import shapes
from secure_export.console.access import Right
from secure_export.console.operations import API, Operation

_CONVERTOR = re.compile(r"\{(\w+)(?::\w+)?\}")
_REFERENCE = "#/components/schemas/{name}"
_TROUBLES = {
    400: "Something in the request cannot be used.",
    401: "Who is asking is not known.",
    403: "Who is asking may not do this.",
    404: "There is no such thing.",
    409: "It cannot be done as things are.",
    413: "The body is too large.",
    503: "The store or the check of tokens does not work now; try again.",
}
_EVERYWHERE = (400, 401, 403, 503)
_ROLES = {
    Right.LOOK: "Needs the role SecureExport.Viewer, SecureExport.Operator or SecureExport.Admin.",
    Right.ACT: "Needs the role SecureExport.Operator or SecureExport.Admin. Written to the audit log.",
}


def openapi(operations: Sequence[Operation]) -> dict[str, Any]:
    """Describe the API."""
    types = [shapes.Error, *(o.answer for o in operations), *(o.body for o in operations if o.body is not None)]
    _, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(_path(operation), {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Secure Export",
            "version": __version__,
            "description": "Azure Monitor alerts, the work items they became, and what is still owed to the ITSM tool.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A Microsoft Entra ID token for this service. Without one, only requests made on "
                    "the machine itself are answered, where local access is on.",
                }
            },
        },
    }


def _path(operation: Operation) -> str:
    return API + _CONVERTOR.sub(r"{\1}", operation.path)


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _operation_id(operation),
        "summary": operation.about,
        "description": _ROLES[operation.right],
        "parameters": [*_path_parameters(operation), *_query_parameters(operation)],
        "responses": _responses(operation),
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _content(operation.body)}
    return described


def _operation_id(operation: Operation) -> str:
    words = [word for word in re.split(r"[^a-z]+", _CONVERTOR.sub("one", operation.path)) if word]
    return "_".join((operation.method.lower(), *words))


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    names = _CONVERTOR.findall(operation.path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": p.name, "in": "query", "required": False, "description": p.about, "schema": p.schema()}
        for p in operation.parameters
    ]


def _responses(operation: Operation) -> dict[str, Any]:
    too_large = (413,) if operation.body is not None else ()
    troubles = sorted({*_EVERYWHERE, *operation.troubles, *too_large})
    done = {"200": {"description": "Done.", "content": _content(operation.answer)}}
    return done | {
        str(status): {"description": _TROUBLES[status], "content": _content(shapes.Error)} for status in troubles
    }


def _content(kind: Any) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(name=kind.__name__)}}}
