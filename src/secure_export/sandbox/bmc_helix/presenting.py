"""Entries as the entry API writes them: values and links."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from secure_export.sandbox.bmc_helix.call import Call
from secure_export.sandbox.bmc_helix.entries import Row
from secure_export.sandbox.bmc_helix.forms.incident import BASE
from secure_export.sandbox.bmc_helix.forms.model import Field, Form, Kind
from secure_export.sandbox.bmc_helix.forms.others import ASSOCIATIONS, WORK_LOG
from secure_export.sandbox.bmc_helix.parameters import Wanted
from secure_export.sandbox.bmc_helix.values import shown

if TYPE_CHECKING:
    from secure_export.sandbox.bmc_helix.server import ArServer

ASSOCIATED: Final = {
    "HPD:INC:Worklog": (WORK_LOG, "Incident Number"),
    "HPD:INC:Associations": (ASSOCIATIONS, "Request ID02"),
}
"""By the name of an association of incidents: the form of the others, and their field with the incident's number."""
_TYPES: Final = {Kind.INTEGER: "integer", Kind.HISTORY: "object"}


class Presenter:
    """Writes entries for one request.

    Args:
        server: The server.
        call: The request: its links lead back to the address that it used.
    """

    def __init__(self, server: "ArServer", call: Call) -> None:
        self._server = server
        self._call = call

    def entry(self, form: Form, row: Row, wanted: Wanted | None) -> dict[str, Any]:
        """Write an entry with its links."""
        links = {"self": [{"href": self.href(form, row)}]}
        for name in wanted.associations if wanted else ():
            links[f"assoc-{name}"] = [
                {"href": self.href(other, one)} for other, one in self.associated(form, row, name)
            ]
        return {"values": self.values(form, row, wanted), "_links": links}

    def values(self, form: Form, row: Row, wanted: Wanted | None) -> dict[str, Any]:
        """Write the values that are wanted; a field that the form does not have is left out."""
        names = None if wanted is None else wanted.values
        fields = form.fields if names is None else [form.by_name[name] for name in names if name in form.by_name]
        return {field.name: shown(field, row.get(field.name)) for field in fields}

    def associated(self, form: Form, row: Row, name: str) -> list[tuple[Form, Row]]:
        """Give the entries that an association leads to; none if the form has no such association."""
        if form.store != BASE or name not in ASSOCIATED:
            return []
        other, field = ASSOCIATED[name]
        rows = self._server.entries.having(other, field, [row["Incident Number"]])
        target = self._server.forms[other]
        return [(target, one) for one in sorted(rows, key=lambda one: str(one[target.key]))]

    def href(self, form: Form, row: Row) -> str:
        """Give the address of an entry."""
        return f"{self.form_href(form)}/{quote(str(row[form.key]), safe='')}"

    def form_href(self, form: Form) -> str:
        """Give the address of a form's entries."""
        return f"{self._call.base}/api/arsys/v1.0/entry/{quote(form.name, safe=':')}"

    def page_links(self, form: Form, offset: int, limit: int, total: int) -> dict[str, Any]:
        """Give the links of a page of a search: to itself, and to the next and the previous one if there are any."""
        links = {"self": [{"href": self._page(form, {})}]}
        if limit and offset + limit < total:
            links["next"] = [{"href": self._page(form, {"offset": str(offset + limit), "limit": str(limit)})}]
        if offset:
            back = max(0, offset - (limit or offset))
            links["prev"] = [{"href": self._page(form, {"offset": str(back), "limit": str(limit)})}]
        return links

    def _page(self, form: Form, more: dict[str, str]) -> str:
        asked = urlencode({**self._call.parameters, **more}, quote_via=quote)
        return self.form_href(form) + (f"?{asked}" if asked else "")


def schema(form: Form) -> dict[str, Any]:
    """Describe a form as a JSON schema; how the real thing writes what it tells here is not public."""
    return {
        "title": form.name,
        "type": "object",
        "properties": {
            "values": {
                "type": "object",
                "properties": {field.name: _property(field) for field in form.fields},
                "required": [field.name for field in form.fields if field.required],
            }
        },
    }


def _property(field: Field) -> dict[str, Any]:
    written: dict[str, Any] = {
        "type": _TYPES.get(field.kind, "string"),
        "fieldId": field.id,
        "dataType": field.kind.value,
        "entryMode": _mode(field),
    }
    if field.kind is Kind.TIME:
        written["format"] = "date-time"
    if field.limit:
        written["maxLength"] = field.limit
    if field.options:
        written["enum"] = _labels(field.options)
        written["enumIds"] = [option.id for option in field.options]
    return written


def _mode(field: Field) -> str:
    if field.system:
        return "SYSTEM"
    if not field.stored:
        return "DISPLAY_ONLY"
    return "REQUIRED" if field.required else "OPTIONAL"


def _labels(options: Sequence[Any]) -> list[str]:
    return [option.label for option in options]
