"""The CMDB API, under both of its paths (bmc-facts section 7)."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from secure_export.sandbox.bmc_helix import cis
from secure_export.sandbox.bmc_helix.call import Call, jetty_page
from secure_export.sandbox.bmc_helix.entries import Row
from secure_export.sandbox.bmc_helix.errors import ArError, bad_body, no_access, no_entry
from secure_export.sandbox.bmc_helix.forms.cmdb import BY_CLASS_ID, CORE, ROOT, TABLE, CiClass, subclasses
from secure_export.sandbox.bmc_helix.forms.model import Form
from secure_export.sandbox.bmc_helix.matching import Asking, key_values, test_for
from secure_export.sandbox.bmc_helix.parameters import page, sorting
from secure_export.sandbox.bmc_helix.people import Account
from secure_export.sandbox.bmc_helix.qualification import parse
from secure_export.sandbox.bmc_helix.values import shown
from secure_export.sandbox.reply import Reply, json_reply

if TYPE_CHECKING:
    from secure_export.sandbox.bmc_helix.server import ArServer

_PATHS: Final = frozenset({("v1.0", "instances"), ("v1", "instance"), ("v1", "instances"), ("v1.0", "instance")})
_OWN_KEYS: Final = ("InstanceId", "ClassId", "Name", "DatasetId")
_CLASS_PARTS: Final = 7
_INSTANCE_PARTS: Final = 8
Handler = Callable[["ArServer", Call], Reply]


def answer(server: "ArServer", call: Call, user: Account) -> Reply:
    """Answer a request for instances of a class."""
    if call.segments[2:4] not in _PATHS:
        return jetty_page(404, "Not Found")
    by_method = {4: _BULK, _CLASS_PARTS: _OF_CLASS, _INSTANCE_PARTS: _OF_INSTANCE}.get(len(call.segments))
    if by_method is None:
        return jetty_page(404, "Not Found")
    if not user.may_read_cmdb or (call.method not in {"GET", "OPTIONS"} and not user.may_write_cmdb):
        raise no_access("CMDB")
    handler = by_method.get(call.method)
    if handler is None:
        return jetty_page(405, "Method Not Allowed").with_headers({"Allow": ", ".join(sorted(by_method))})
    return handler(server, call)


def _search(server: "ArServer", call: Call) -> Reply:
    asked, (dataset, ci_class) = call.parameters, _place(call)
    text = asked.get("qualification", asked.get("q", ""))
    rows = _found(server, call, ci_class, dataset, text)
    for name, descends in reversed(sorting(asked)):
        rows.sort(key=lambda row, name=name: str(row.get(name) or ""), reverse=descends)  # type: ignore[misc] # bound now
    offset, limit = page(asked, server.site.most_entries)
    part = rows[offset : offset + limit if limit else None]
    document: dict[str, Any] = {"instances": [_written(server, call, row) for row in part]}
    if asked.get("num_matches", "").lower() == "true":
        document["num_matches"] = len(rows)
    return json_reply(200, document)


def _read(server: "ArServer", call: Call) -> Reply:
    return json_reply(200, _written(server, call, _instance(server, call)))


def _create(server: "ArServer", call: Call) -> Reply:
    dataset, ci_class = _place(call)
    row = cis.keep(server, ci_class, dataset, _attributes(call.document()))
    return json_reply(201, {"instance_id": row["InstanceId"]}, {"Location": _href(call, row)})


def _create_many(server: "ArServer", call: Call) -> Reply:
    """Create instances of any classes; what one lacks lets none of them in."""
    orders = call.document().get("instances")
    if not isinstance(orders, list):
        raise bad_body("instances is missing")
    places = [_ordered(one) for one in orders]
    return json_reply(200, {"instance_ids": [cis.keep(server, *place)["InstanceId"] for place in places]})


def _ordered(one: Any) -> tuple[CiClass, str, dict[str, Any]]:
    if not isinstance(one, dict) or not isinstance(one.get("class_name_key"), dict):
        raise bad_body("an instance has no class_name_key")
    key = one["class_name_key"]
    ci_class = cis.class_of(str(key.get("name")), str(key.get("namespace", CORE)))
    return ci_class, str(one.get("dataset_id")), _attributes(one)


def _replace(server: "ArServer", call: Call) -> Reply:
    """Put a new state in the place of the old one: what is not named is emptied."""
    row = _instance(server, call)
    form = server.forms[f"{CORE}:{ROOT}"]
    emptied = {name: None for name in row if name in form.by_name and name != "ReconciliationIdentity"}
    cis.update(server, row, {**emptied, **_attributes(call.document())})
    return Reply(204)


def _patch(server: "ArServer", call: Call) -> Reply:
    cis.update(server, _instance(server, call), _attributes(call.document()))
    return Reply(204)


def _delete(server: "ArServer", call: Call) -> Reply:
    """Mark an instance as deleted, or take it away for good with ``delete_option=PURGE``."""
    row = _instance(server, call)
    if call.parameters.get("delete_option", "").upper() == "PURGE":
        server.entries.remove(TABLE, row["InstanceId"])
    else:
        cis.update(server, row, {"MarkAsDeleted": "Yes"})
    return Reply(204)


def _found(server: "ArServer", call: Call, ci_class: CiClass, dataset: str, text: str) -> list[Row]:
    form = server.forms[f"{CORE}:{ci_class.name}"]
    node = parse(text)
    rows = list(server.entries.rows(TABLE))
    if node is not None:
        matches = test_for(node, Asking(form, call.user, server.now, server.site.case_sensitive))
        key = key_values(node, form, lambda field: server.entries.indexed(TABLE, field))
        rows = [row for row in (rows if key is None else server.entries.having(TABLE, *key)) if matches(row)]
    classes = subclasses(ci_class.name)
    return [row for row in rows if row["DatasetId"] == dataset and row["ClassId"] in classes]


def _place(call: Call) -> tuple[str, CiClass]:
    dataset, namespace, name = call.segments[4:7]
    return dataset, cis.class_of(name, namespace)


def _instance(server: "ArServer", call: Call) -> Row:
    dataset, ci_class = _place(call)
    row = server.entries.get(TABLE, call.segments[7])
    if row is None or row["DatasetId"] != dataset or row["ClassId"] not in subclasses(ci_class.name):
        raise no_entry(call.segments[7])
    return row


def _attributes(document: dict[str, Any]) -> dict[str, Any]:
    attributes = document.get("attributes")
    if not isinstance(attributes, dict):
        raise bad_body("attributes is missing")
    return attributes


def _written(server: "ArServer", call: Call, row: Row) -> dict[str, Any]:
    name = BY_CLASS_ID[row["ClassId"]].name
    form = server.forms[f"{CORE}:{name}"]
    return {
        "instance_id": row["InstanceId"],
        "class_name_key": {"name": name, "namespace": CORE},
        "dataset_id": row["DatasetId"],
        "attributes": {one: shown(form.by_name[one], row.get(one)) for one in _names(call, form)},
        "_links": {"self": [{"href": _href(call, row)}]},
    }


def _names(call: Call, form: Form) -> Sequence[str]:
    """Give the attributes that are asked for; one that the class does not have is refused."""
    asked = call.parameters.get("attributes", call.parameters.get("fields", ""))
    names = [name for one in asked.split(",") if (name := one.strip())]
    if unknown := [name for name in names if name not in form.by_name]:
        raise ArError(400, 120_054, "The specified attribute does not exist", ", ".join(unknown))
    return list(dict.fromkeys([*_OWN_KEYS, *names])) if names else list(form.by_name)


def _href(call: Call, row: Row) -> str:
    name = BY_CLASS_ID[row["ClassId"]].name
    place = f"{quote(row['DatasetId'])}/{CORE}/{name}/{quote(row['InstanceId'])}"
    return f"{call.base}/api/cmdb/v1.0/instances/{place}"


_BULK: Final[dict[str, Handler]] = {"POST": _create_many}
_OF_CLASS: Final[dict[str, Handler]] = {"GET": _search, "POST": _create}
_OF_INSTANCE: Final[dict[str, Handler]] = {"GET": _read, "PUT": _replace, "PATCH": _patch, "DELETE": _delete}
