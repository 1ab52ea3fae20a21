"""The entry API: ``/api/arsys/v1/entry/{form}`` and below (bmc-facts section 4)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from secure_export.sandbox.bmc_helix.call import Call, jetty_page
from secure_export.sandbox.bmc_helix.errors import ArError, bad_body, no_entry
from secure_export.sandbox.bmc_helix.multipart import Sent, read_entry
from secure_export.sandbox.bmc_helix.parameters import page, sorting, wanted
from secure_export.sandbox.bmc_helix.people import Account
from secure_export.sandbox.bmc_helix.presenting import Presenter, schema
from secure_export.sandbox.reply import Reply, json_reply

if TYPE_CHECKING:
    from secure_export.sandbox.bmc_helix.server import ArServer

_NO_CONTENT: Final = Reply(204)
_OVERWRITES: Final = frozenset({"DUP_OVERWRITE", "DUP_MERGE"})
Handler = Callable[["ArServer", Call, Account], Reply]


def answer(server: "ArServer", call: Call, user: Account) -> Reply:
    """Answer a request for entries of a form."""
    rest = call.segments[4:]
    by_method = _HANDLERS.get(len(rest), {}) if len(rest) < 3 or rest[2:3] in (("attach",), ("assoc",)) else {}  # noqa: PLR2004
    if not by_method:
        return jetty_page(404, "Not Found")
    handler = by_method.get(call.method)
    if handler is None:
        return jetty_page(405, "Method Not Allowed").with_headers({"Allow": ", ".join(sorted(by_method))})
    return handler(server, call, user)


def merge(server: "ArServer", call: Call, user: Account) -> Reply:
    """Answer ``POST /mergeEntry/{form}``: create, or change what is there already, as the options say."""
    if call.method != "POST":
        return jetty_page(405, "Method Not Allowed").with_headers({"Allow": "POST"})
    sent = read_entry(call)
    existing = _existing(server, call, user, sent)
    how = (sent.more.get("mergeOptions") or {}).get("mergeType", "DUP_ERROR")
    if existing is not None and how == "DUP_ERROR":
        raise ArError(500, 382, "The value(s) for this entry violate a unique index", existing)
    if existing is not None and how in _OVERWRITES:
        server.change(call.form, existing, sent.values, user, sent.files)
        return _NO_CONTENT
    return _created(server, call, user, sent)


def _list_forms(server: "ArServer", _call: Call, user: Account) -> Reply:
    return json_reply(200, sorted(form.name for form in server.forms if user.may_read(form.name)))


def _search(server: "ArServer", call: Call, user: Account) -> Reply:
    asked = call.parameters
    columns, (offset, limit) = wanted(asked), page(asked, server.site.most_entries)
    rows = server.search(call.form, asked.get("q", ""), user, sorting(asked))
    form, presenter = server.forms[call.form], Presenter(server, call)
    shown = rows[offset : offset + limit if limit else None]
    entries = [presenter.entry(form, row, columns) for row in shown]
    return json_reply(200, {"entries": entries, "_links": presenter.page_links(form, offset, limit, len(rows))})


def _read(server: "ArServer", call: Call, user: Account) -> Reply:
    row = server.read(call.form, call.entry_id, user)
    return json_reply(200, Presenter(server, call).entry(server.forms[call.form], row, wanted(call.parameters)))


def _create(server: "ArServer", call: Call, user: Account) -> Reply:
    return _created(server, call, user, read_entry(call))


def _created(server: "ArServer", call: Call, user: Account, sent: Sent) -> Reply:
    columns = wanted(call.parameters)  # before anything is done: a parameter that cannot be read creates nothing
    entry_id = server.create(call.form, sent.values, user, sent.files)
    form, presenter = server.forms[call.form], Presenter(server, call)
    if entry_id is None or form.joined:
        return _NO_CONTENT
    if columns is None:
        location = f"{call.base}/api/arsys/v1/entry/{quote(form.name, safe=':')}/{quote(entry_id, safe='')}"
        return Reply(201).with_headers({"Location": location}).with_body(b"", "application/json")
    values = presenter.values(form, server.read(form.name, entry_id), columns)
    return json_reply(201, {"values": values, "_links": {"self": [{"href": presenter.form_href(form)}]}})


def _change(server: "ArServer", call: Call, user: Account) -> Reply:
    sent = read_entry(call)
    server.change(call.form, call.entry_id, sent.values, user, sent.files)
    return _NO_CONTENT


def _delete(server: "ArServer", call: Call, user: Account) -> Reply:
    server.delete(call.form, call.entry_id, user)
    return _NO_CONTENT


def _describe(server: "ArServer", call: Call, user: Account) -> Reply:
    return json_reply(200, schema(server.readable(call.form, user)))


def _below(server: "ArServer", call: Call, user: Account) -> Reply:
    """Answer ``…/attach/{field}`` with the file, and ``…/assoc/{name}`` with the entries."""
    form = server.forms[call.form]
    row = server.read(call.form, call.entry_id, user)
    what, name = call.segments[6], call.segments[7]
    if what == "assoc":
        presenter = Presenter(server, call)
        found = [presenter.entry(other, one, None) for other, one in presenter.associated(form, row, name)]
        return json_reply(200, {"entries": found, "_links": {"self": [{"href": presenter.href(form, row)}]}})
    content = server.files.get((form.store, str(row.get(form.key)), form.field(name).name))
    if content is None:
        raise no_entry(name)
    return Reply(200).with_body(content, "application/octet-stream")


def _existing(server: "ArServer", call: Call, user: Account, sent: Sent) -> str | None:
    """Find the entry that a merge is about: by its id in the values, or by the qualification."""
    form = server.forms[call.form]
    if (entry_id := sent.values.get(form.key)) is not None:
        found = [row for row in server.search(form.name, "", user) if row.get(form.key) == entry_id]
    elif isinstance(text := sent.more.get("qualification"), str) and text:
        found = server.search(form.name, text, user)
    else:
        return None
    if len(found) > 1:
        raise bad_body("several entries match the qualification")
    return str(found[0][form.key]) if found else None


_HANDLERS: Final[dict[int, dict[str, Handler]]] = {
    0: {"GET": _list_forms},
    1: {"GET": _search, "POST": _create, "OPTIONS": _describe},
    2: {"GET": _read, "PUT": _change, "DELETE": _delete},
    4: {"GET": _below},
}
