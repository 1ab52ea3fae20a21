"""The Attachment API: ``/api/now/attachment`` (servicenow-facts 7.4)."""

import json
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from secure_export.sandbox.servicenow.attachments import TABLE, Attachments
from secure_export.sandbox.servicenow.caller import caller
from secure_export.sandbox.servicenow.errors import SnowError
from secure_export.sandbox.servicenow.forms import read_form
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.presenting import Presenter
from secure_export.sandbox.servicenow.rest import json_object, pairs_query, result, versioned, window
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User

_SHOWN: Final = (
    "table_sys_id",
    "size_bytes",
    "sys_updated_on",
    "sys_id",
    "image_height",
    "sys_created_on",
    "file_name",
    "sys_created_by",
    "compressed",
    "average_image_color",
    "sys_updated_by",
    "sys_tags",
    "table_name",
    "image_width",
    "sys_mod_count",
    "content_type",
    "size_compressed",
    "chunk_size_bytes",
    "state",
    "hash",
)
_ANY_TYPE: Final = "application/octet-stream"
_NEEDED: Final = ("table_name", "table_sys_id")


def routes(instance: Instance) -> list[Route]:
    """Give the routes of the Attachment API."""
    api = _AttachmentApi(instance)
    return [
        *versioned("now", "attachment", api.listed, "GET"),
        *versioned("now", "attachment/file", api.posted, "POST"),
        *versioned("now", "attachment/upload", api.uploaded, "POST"),
        *versioned("now", "attachment/{sys_id}", api.one, "GET", "PATCH", "DELETE"),
        *versioned("now", "attachment/{sys_id}/file", api.file, "GET"),
    ]


class _AttachmentApi:
    """One method a door."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._attachments = Attachments(instance)

    async def listed(self, request: Request) -> Response:
        """List attachments; those of records that the caller may not see are left out after count and cut.

        Besides ``sysparm_query`` pairs are taken: servicenow.itsm lists, and then deletes, by ``table_sys_id=<id>``.
        """
        user = caller(request)
        limit, offset = window(request)
        query = pairs_query(request, list(self._instance.dictionary.columns(TABLE)))
        page = self._instance.query(TABLE, query, limit=limit, offset=offset)
        shown = [self._shown(row, user) for row in page.rows if self._attachments.may_read(row, user)]
        return result(shown, headers={"X-Total-Count": str(page.total)})

    async def posted(self, request: Request) -> Response:
        """Attach the body of the request."""
        user = caller(request)
        given = request.query_params
        meta = {name: given.get(name, "") for name in (*_NEEDED, "file_name", "encryption_context")}
        if not meta["file_name"]:
            raise SnowError(400, "Invalid request", "file_name is required.")
        content_type = request.headers.get("content-type") or _ANY_TYPE
        return self._added(request, {**meta, "content_type": content_type}, await request.body(), user)

    async def uploaded(self, request: Request) -> Response:
        """Attach the file of a form."""
        user = caller(request)
        parts = read_form(request.headers.get("content-type", ""), await request.body())
        file = next((part for part in parts if part.file_name), None)
        if file is None:
            raise SnowError(400, "Invalid request", "The form holds no file.")
        texts = {part.name: part.content.decode("utf-8", "replace") for part in parts if part is not file}
        meta = {name: texts.get(name, "") for name in _NEEDED}
        meta |= {"file_name": file.file_name, "content_type": file.content_type}
        return self._added(request, meta, file.content, user)

    async def one(self, request: Request) -> Response:
        """Tell about one attachment, rename it, or delete it."""
        user, sys_id = caller(request), request.path_params["sys_id"]
        match request.method:
            case "DELETE":
                self._attachments.delete(sys_id, user)
                return Response(status_code=204)
            case "PATCH":
                name = (await json_object(request)).get("file_name")
                if not isinstance(name, str) or not name:
                    raise SnowError(400, "Invalid request", "file_name is required.")
                self._attachments.rename(sys_id, name, user)
        return result(self._shown(self._attachments.get(sys_id, user), user))

    async def file(self, request: Request) -> Response:
        """Give the bytes of one attachment."""
        user = caller(request)
        row = self._attachments.get(request.path_params["sys_id"], user)
        headers = {
            "Content-Type": row.get("content_type") or _ANY_TYPE,
            "Content-Disposition": f"attachment;filename*=UTF-8''{quote(row.get('file_name', ''))}",
            "X-Attachment-Metadata": json.dumps(self._shown(row, user)),
        }
        return Response(self._attachments.content(row), headers=headers)

    def _added(self, request: Request, meta: Row, content: bytes, user: User) -> Response:
        if missing := [name for name in _NEEDED if not meta[name]]:
            raise SnowError(400, "Invalid request", f"{' and '.join(missing)} must be given.")
        row = self._attachments.add(meta, content, user)
        base = request.url.path.rsplit("/", 1)[0]
        location = f"{self._instance.url}{base}/{row['sys_id']}/file"
        return result(self._shown(row, user), 201, {"Location": location})

    def _shown(self, row: Row, user: User) -> dict[str, Any]:
        shown = Presenter(self._instance, user, fields=_SHOWN).show(TABLE, row)
        return shown | {"download_link": f"{self._instance.url}/api/now/attachment/{row['sys_id']}/file"}
