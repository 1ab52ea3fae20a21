"""What an import file holds, in every form that people have it in."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from secure_export.alerts.resource_id import normal_form
from secure_export.cmdb.classes import class_of_type
from secure_export.cmdb.drafts import CiDraft, RelationDraft
from secure_export.cmdb.imports import Import, read_import

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Web-RG"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-web-1"
DISK = f"{GROUP}/providers/Microsoft.Compute/disks/vm-web-1-os"
DATABASE = f"{GROUP}/providers/Microsoft.Sql/servers/sql-1/databases/orders"


def read(text: str | bytes, name: str = "file") -> Import:
    """Read a file."""
    return read_import(text if isinstance(text, bytes) else text.encode(), name)


def read_json(document: Any) -> Import:
    """Read a file that holds this as JSON."""
    return read(json.dumps(document))


def the_one(found: Import) -> CiDraft:
    """Give the only CI of a file without problems."""
    assert found.problems == ()
    (draft,) = found.drafts
    return draft


def graph_row(resource_id: str = VM, **members: Any) -> dict[str, Any]:
    """A row as Resource Graph gives it for ``Resources``."""
    return {
        "id": resource_id,
        "name": resource_id.rpartition("/")[2],
        "type": "microsoft.compute/virtualmachines",
        "tenantId": "99999999-9999-9999-9999-999999999999",
        "kind": "",
        "location": "westeurope",
        "resourceGroup": "web-rg",
        "subscriptionId": SUBSCRIPTION,
        "managedBy": "",
        "sku": None,
        "plan": None,
        "properties": {"hardwareProfile": {"vmSize": "Standard_D2s_v5"}},
        "tags": {"Environment": "Production", "Business Criticality": "High", "owner": "web team"},
        "identity": None,
        "zones": ["1"],
        "extendedLocation": None,
    } | members


def assert_the_machine(draft: CiDraft) -> None:
    """Check what became of ``graph_row``."""
    assert (draft.name, draft.class_name) == ("vm-web-1", "virtual-machine")
    assert draft.resource_id == normal_form(VM)
    assert {name: value for name, value in draft.attributes.items() if value} == {
        "location": "westeurope",
        "resource_group": "web-rg",
        "subscription_id": SUBSCRIPTION,
        "environment": "Production",
        "business_criticality": "High",
        "owner": "web team",
    }
    assert draft.relations == ()


def test_the_output_of_az_graph_query() -> None:
    """``az graph query`` prints an object with count, data and skip_token."""
    document = {"count": 1, "data": [graph_row()], "skip_token": None, "total_records": 1}
    assert_the_machine(the_one(read_json(document)))


def test_the_answer_of_the_rest_api() -> None:
    """The REST API answers with totalRecords and a list of objects as data."""
    document = {"totalRecords": 1, "count": 1, "data": [graph_row()], "facets": [], "resultTruncated": "false"}
    assert_the_machine(the_one(read_json(document)))


def test_the_older_answer_of_the_rest_api() -> None:
    """With the result format table, data has columns and rows."""
    row = graph_row()
    table = {"columns": [{"name": name, "type": "string"} for name in row], "rows": [list(row.values())]}
    document = {"totalRecords": 1, "count": 1, "data": table, "facets": [], "resultTruncated": "false"}
    assert_the_machine(the_one(read_json(document)))


def test_the_json_download_of_the_portal() -> None:
    """The portal gives a bare list of objects."""
    assert_the_machine(the_one(read_json([graph_row()])))


def test_a_list_of_resource_manager() -> None:
    """Azure Resource Manager's own lists have their objects as value."""
    assert_the_machine(the_one(read_json({"value": [graph_row()]})))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("style", [str, str.lower, str.upper, lambda text: _spaced(text).upper()])
def test_the_csv_download_of_the_portal(style: Callable[[str], str], encoding: str) -> None:
    """The CSV has tags and properties as JSON in cells, its header in any style, and often a byte order mark."""
    row = {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in graph_row().items()}
    text = _csv({style(name): value for name, value in row.items()})
    assert_the_machine(the_one(read(text.encode(encoding))))


def _spaced(text: str) -> str:
    return "".join(f" {one}" if one.isupper() else one for one in text)


def _csv(row: Mapping[str, Any], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(row.keys())
    writer.writerow(row.values())
    return out.getvalue()


def test_a_cell_longer_than_the_limit_of_the_module_is_read() -> None:
    """The properties of a large resource are more than 128 KiB; the limit is as before afterwards."""
    before = csv.field_size_limit()
    text = _csv({"name": "big", "properties": json.dumps({"a": "x" * 300_000})})
    assert the_one(read(text)).name == "big"
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("resource_id", "parent"),
    [
        (DATABASE, DATABASE.rpartition("/databases/")[0]),
        (f"{VM}/extensions/agent", VM),
        (f"{VM}/providers/Microsoft.Insights/diagnosticSettings/all", VM),
    ],
)
def test_a_part_of_a_resource_is_its_child(resource_id: str, parent: str) -> None:
    """A child resource has a relation to its parent without anybody having to say so."""
    draft = the_one(read_json([{"id": resource_id}]))
    assert draft.relations == (RelationDraft("child-of", normal_form(parent)),)


def test_what_manages_a_resource_is_related() -> None:
    """A disk names the machine that it belongs to."""
    row = graph_row(DISK, type="microsoft.compute/disks", managedBy=VM)
    assert the_one(read_json([row])).relations == (RelationDraft("managed-by", normal_form(VM)),)


@pytest.mark.parametrize(
    ("resource_type", "kind", "expected"),
    [
        ("Microsoft.Compute/virtualMachines", "", "virtual-machine"),
        ("microsoft.web/sites", "app,linux", "web-app"),
        ("microsoft.web/sites", "functionapp,linux", "function-app"),
        ("microsoft.sql/servers/databases", "v12.0,user", "sql-database"),
        ("Microsoft.Quantum/workspaces", "", "quantum-workspaces"),
        ("Contoso.Weather/weatherStations/sensors", "", "contoso-weather-weather-stations-sensors"),
    ],
)
def test_types_become_readable_classes(resource_type: str, kind: str, expected: str) -> None:
    """Well-known types have short names; others keep provider and type."""
    assert class_of_type(resource_type, kind) == expected


@pytest.mark.parametrize(
    ("resource_id", "name", "class_name"),
    [
        (VM, "vm-web-1", "virtual-machine"),
        (GROUP, "web-rg", "resource-group"),
        (f"/subscriptions/{SUBSCRIPTION}", SUBSCRIPTION, "subscription"),
    ],
)
def test_an_id_alone_is_enough(resource_id: str, name: str, class_name: str) -> None:
    """Name and class follow from the id when nothing else is given."""
    draft = the_one(read_json([{"resource_id": resource_id}]))
    assert (draft.name, draft.class_name) == (name, class_name)


def test_our_own_form() -> None:
    """A CI of ours has name, class, attributes and relations to ids or names; further members are attributes."""
    document = {
        "cis": [
            {
                "name": "orders",
                "class": "Business Service",
                "attributes": {"Business Criticality": "1", "owner": None},
                "support_group": "Shop",
                "relations": [
                    {"type": "Depends On", "target": DATABASE},
                    {"type": "runs-on", "target": "Core Switch"},
                ],
            }
        ]
    }
    draft = the_one(read_json(document))
    assert (draft.name, draft.class_name, draft.resource_id) == ("orders", "business-service", None)
    assert draft.attributes == {"business_criticality": "1", "owner": "", "support_group": "Shop"}
    assert draft.relations == (
        RelationDraft("depends-on", normal_form(DATABASE)),
        RelationDraft("runs-on", "Core Switch"),
    )


def test_one_ci_alone_is_an_import_too() -> None:
    """A file may hold a single object."""
    assert the_one(read_json({"name": "core-switch", "class": "switch"})).class_name == "switch"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_delimiter(delimiter: str) -> None:
    """The delimiter is found by the header, also when another one stands in the cells."""
    text = delimiter.join(["name", "class", "owner"]) + "\r\n" + delimiter.join(["a", "switch", '"x,y;z|"']) + "\r\n"
    draft = the_one(read(text))
    assert (draft.name, draft.class_name, draft.attributes) == ("a", "switch", {"owner": "x,y;z|"})


def test_the_hint_of_spreadsheets_is_understood() -> None:
    """A first line sep=… names the delimiter, and lines are counted as an editor counts them."""
    found = read("sep=;\nname;resource_id\na;\nb;nonsense\n")
    assert [d.name for d in found.drafts] == ["a"]
    assert [p.where for p in found.problems] == ["line 4"]


@pytest.mark.parametrize(
    "header", ["Name", "NAME", " name ", "Resource Name", "resourceName", "CI name", "ci", "Computer Name", "hostname"]
)
def test_headers_are_read_as_people_write_them(header: str) -> None:
    """The column of the name has many names."""
    assert the_one(read(f"{header},Business Criticality\nweb-1,high\n")) == CiDraft(
        "web-1", attributes={"business_criticality": "high"}, where="line 2"
    )


def test_an_id_that_is_none_of_azure_is_an_attribute() -> None:
    """An id column of another CMDB does no harm."""
    draft = the_one(read("id,name\n4711,web-1\n"))
    assert (draft.resource_id, draft.attributes) == (None, {"id": "4711"})


def test_rows_over_several_lines_are_counted_by_their_first() -> None:
    """Problems name the line that an editor shows."""
    found = read('name,resource_id,notes\na,,"two\nlines"\nb,nonsense,\n\nc,,\n')
    assert [d.where for d in found.drafts] == ["line 2", "line 6"]
    assert [p.where for p in found.problems] == ["line 4"]


def test_good_rows_are_kept_and_bad_ones_named() -> None:
    """One bad row does not cost the others."""
    found = read("name,resource_id\na,\n,\n,x\nb,/subscriptions/\nc,,too,many\nd,\n")
    assert [d.name for d in found.drafts] == ["a", "d"]
    assert [p.where for p in found.problems] == ["line 4", "line 5", "line 6"]
    assert all(p.message for p in found.problems)


def test_doubles_are_named_and_the_first_is_taken() -> None:
    """The same resource id, or the same class and name without one, twice in a file is told with both places."""
    found = read_json(
        [{"id": VM}, {"id": VM.upper(), "owner": "b"}, {"name": "x", "class": "s"}, {"name": "X", "class": "S"}]
    )
    assert [d.where for d in found.drafts] == ["object 1", "object 3"]
    assert [p.where for p in found.problems] == ["object 2", "object 4"]
    assert "object 1" in found.problems[0].message


@pytest.mark.parametrize(
    "document",
    [
        {"data": [{"id": VM}], "skip_token": "abc"},
        {"data": [{"id": VM}], "$skipToken": "abc"},
        {"value": [{"id": VM}], "nextLink": "https://management.azure.com/next"},
    ],
)
def test_an_export_that_is_only_a_page_is_told(document: dict[str, Any]) -> None:
    """A CMDB must not lack the second thousand without a word."""
    found = read_json(document)
    assert len(found.drafts) == 1
    assert [p.where for p in found.problems] == ["file"]
    assert "page" in found.problems[0].message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b" \r\n ", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "UTF-8"),
        (b"\xff\xfe\x00", "UTF-8"),
        ("name\ngrö\u00dfe".encode("latin-1"), "UTF-8"),
        (b"PK\x03\x04 \x00\x00", "UTF-8"),
        (b"{", "not JSON"),
        (b'[{"name": "a"},]', "not JSON"),
        (b'{"error": {"code": "BadRequest"}}', "no list of CIs"),
        (b'{"data": {"rows": []}}', "columns and rows"),
        (b"[" * 100_000, "nested"),
        (b'[{"name": ' + b"1" * 5000 + b"}]", "too long"),
        (b"colour,size\nred,1\n", "no column is called name"),
        (b"name,Name\na,b\n", "more than once"),
        (b'name\n"unfinished\n', "cannot be read as CSV"),
        (b"<html><body>Sign in</body></html>", "no column is called name"),
    ],
)
def test_what_cannot_be_used_is_said_why(content: bytes, says: str) -> None:
    """A file that is none of the known forms gives no CI and one problem with a remedy or a place."""
    found = read(content)
    assert found.drafts == ()
    (problem,) = found.problems
    assert says in problem.message
    assert problem.where


@pytest.mark.parametrize(
    "row",
    [
        3,
        None,
        [],
        {},
        {"name": ""},
        {"name": {"a": 1}},
        {"name": "x" * 300},
        {"resource_id": "vm-web-1"},
        {"id": "/subscriptions/a/b"},
        {"name": "a", "relations": "b"},
        {"name": "a", "relations": [{"type": "runs-on"}]},
        {"name": "a", "relations": ["b"]},
        {"name": "a", "tags": "{broken"},
    ],
)
def test_a_bad_object_is_refused_with_its_place(row: Any) -> None:
    """Each bad object is one problem, and the good one after it is taken."""
    found = read_json([row, {"name": "good"}])
    assert [d.name for d in found.drafts] == ["good"]
    assert [p.where for p in found.problems] == ["object 1"]


def test_values_of_every_kind_become_texts() -> None:
    """Numbers, truth values and halves of characters can be kept; what is nested is left out."""
    draft = the_one(
        read('[{"name": "a\\ud800", "cores": 4, "on": true, "share": 0.5, "deep": {"x": 1}, "none": null}]')
    )
    assert draft.name == "a?"
    assert draft.attributes == {"cores": "4", "on": "true", "share": "0.5", "none": ""}


_CELLS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _CELLS | st.sampled_from([VM, "/subscriptions"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "id", "type", "tags", "relations", "data", "columns", "rows", "x"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=200) | _CELLS.map(str.encode))
@example(b"\xff\xfe")
@example(b"name\r\ra")
def test_no_file_breaks_the_reader(data: bytes) -> None:
    """Whatever a file holds, there is an answer, and every draft has a name that can be kept."""
    _is_usable(read(data))


@settings(max_examples=150, deadline=None)
@given(document=_JSON)
def test_no_json_breaks_the_reader(document: Any) -> None:
    """Whatever JSON a file holds, there is an answer."""
    _is_usable(read_json(document))


@settings(max_examples=100, deadline=None)
@given(
    names=st.lists(
        st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8),
        min_size=1,
        max_size=5,
        unique_by=str.lower,
    ),
    cells=st.lists(_CELLS.filter(lambda text: "\r" not in text), min_size=5, max_size=5),
    delimiter=st.sampled_from(",;\t|"),
)
def test_csv_is_read_as_it_was_written(names: list[str], cells: list[str], delimiter: str) -> None:
    """What Python's own writer writes is read back, whatever stands in the cells."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["name", "class", "notes"])
    writer.writerows([name, "switch", cell] for name, cell in zip(names, cells, strict=False))
    found = read(out.getvalue())
    assert found.problems == ()
    assert [(d.name, d.attributes["notes"]) for d in found.drafts] == [
        (name, cell.strip()) for name, cell in zip(names, cells, strict=False)
    ]


def _is_usable(found: Import) -> None:
    assert all(problem.where and problem.message for problem in found.problems)
    for draft in found.drafts:
        assert draft.name.strip()
        assert draft.resource_id is None or draft.resource_id.startswith("/")
        for text in (draft.name, draft.class_name, *draft.attributes, *draft.attributes.values()):
            text.encode()
