"""Rows and their indexes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.sandbox.servicenow.dictionary import Dictionary, Table
from secure_export.sandbox.servicenow.tables import Tables


def _tables() -> Tables:
    return Tables(Dictionary([Table("task", "Task"), Table("incident", "Incident", "task"), Table("other", "Other")]))


_CHANGE = st.tuples(
    st.sampled_from(["task", "incident"]), st.sampled_from("ABC"), st.sampled_from(["", "x", "X", "y", None])
)


@given(changes=st.lists(_CHANGE, max_size=20))
@settings(max_examples=100)
def test_the_index_always_agrees_with_the_rows(changes: list[tuple[str, str, str | None]]) -> None:
    """After any order of writing, changing and removing, whatever the case of ids and values."""
    tables, rows = _tables(), dict[str, tuple[str, str]]()
    for table, sys_id, key in changes:
        if key is None:
            tables.remove(table, sys_id.lower())
            rows.pop(sys_id, None)
        else:
            known = rows.get(sys_id, (table, ""))[0]
            tables.put(known, {"sys_id": sys_id, "sys_class_name": known, "number": key})
            rows[sys_id] = (known, key)
    for table in ("task", "incident"):
        own = {one: key for one, (known, key) in rows.items() if table in {"task", known}}
        assert {row["sys_id"] for row in tables.rows(table)} == own.keys()
        assert tables.count(table) == len(own)
        for key in ("", "x", "y"):
            found = tables.having(table, "number", [key, key.upper()])
            assert found is not None
            assert {row["sys_id"] for row in found} == {one for one, held in own.items() if held.lower() == key}


def test_a_row_is_found_by_its_table_and_its_parents_only() -> None:
    """An incident is a task; a task is not an incident."""
    tables = _tables()
    tables.put("incident", {"sys_id": "A"})
    tables.put("task", {"sys_id": "B"})
    assert tables.get("task", "a") is not None
    assert tables.get("incident", "a") is not None
    assert tables.get("incident", "b") is None
    assert tables.get("other", "a") is None


def test_a_column_without_an_index_says_so() -> None:
    """Others than the well-known columns have to be looked for row by row."""
    assert _tables().having("task", "short_description", ["x"]) is None


def test_a_version_grows_with_every_write_of_that_table() -> None:
    """Those who keep derived things see from it that they are old."""
    tables = _tables()
    seen = [tables.version("incident")]
    tables.put("incident", {"sys_id": "A"})
    seen.append(tables.version("incident"))
    tables.remove("task", "A")
    seen.append(tables.version("incident"))
    tables.put("incident", {"sys_id": "A"})
    tables.clear()
    seen.append(tables.version("incident"))
    assert seen == sorted(set(seen))
    assert tables.version("task") == 0
