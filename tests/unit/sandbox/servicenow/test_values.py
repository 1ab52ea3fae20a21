"""Values as callers send them and see them (servicenow-facts 3.3)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sandbox.servicenow.instances import agent, incident, new_instance

from secure_export.sandbox.servicenow.clock import Clock, as_stamp, from_stamp
from secure_export.sandbox.servicenow.dictionary import Column, ColumnType
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.presenting import Display, Presenter, shown_duration
from secure_export.sandbox.servicenow.users import User
from secure_export.sandbox.servicenow.zones import moment_from_user, shown_moment

ADMIN_ID = "6816f79cc0a8016401c5a33be04be441"


@pytest.fixture
def snow() -> Instance:
    """Give an instance at noon."""
    return new_instance()


@pytest.fixture(scope="module")
def shared() -> Instance:
    """Give an instance at noon that many cases write into, each minding its own records."""
    return new_instance()


@pytest.mark.parametrize(
    ("column", "sent", "stored"),
    [
        ("short_description", 5, "5"),
        ("short_description", True, "true"),
        ("short_description", None, ""),
        ("short_description", {"a": 1}, "[object Object]"),
        ("short_description", ["a", 1], "a,1"),
        ("short_description", "x" * 161, "x" * 160),
        ("correlation_id", "k" * 132, "k" * 100),
        ("description", "d" * 4001, "d" * 4000),
        ("knowledge", "1", "true"),
        ("knowledge", "maybe", "false"),
        ("order", "12.0", "12"),
        ("order", "many", ""),
        ("due_date", "2026-05-05 10:00:00", "2026-05-05 10:00:00"),
        ("due_date", "2026-05-05T12:00:00+02:00", "2026-05-05 10:00:00"),
        ("due_date", "soon", ""),
        ("contact_type", "carrier pigeon", ""),
        ("contact_type", "Monitoring", "monitoring"),
        ("category", "Network", "network"),
        ("assigned_to", "admin", ADMIN_ID),
        ("assigned_to", "System Administrator", ADMIN_ID),
        ("assigned_to", "Nobody Known", ""),
        ("assigned_to", "0" * 32, "0" * 32),
        ("watch_list", "admin,Nobody,0", ADMIN_ID),
        ("u_unknown", "x", None),
        ("sys_created_by", "somebody", "azure.integration"),
        ("sys_class_name", "problem", "incident"),
    ],
)
def test_a_value_is_made_to_fit_without_a_word(shared: Instance, column: str, sent: Any, stored: str | None) -> None:
    """Cut, blanked, converted or ignored: the caller learns it only by reading."""
    assert incident(shared, **{column: sent}).get(column) == stored


def test_an_empty_text_clears_a_column(shared: Instance) -> None:
    """Also where the new row had a default."""
    row = incident(shared, description="x")
    row = shared.update("incident", row["sys_id"], {"description": "", "category": None}, agent(shared))
    assert (row["description"], row["category"]) == ("", "")


def test_a_property_lets_unknown_choices_in(snow: Instance) -> None:
    """`glide.rest.choice.allow_non_existing_value` is off as shipped."""
    snow.properties.set("glide.rest.choice.allow_non_existing_value", "true")
    assert incident(snow, contact_type="pigeon")["contact_type"] == "pigeon"


def test_an_unknown_state_leaves_the_old_one(shared: Instance) -> None:
    """A blanked state cannot stay empty."""
    row = incident(shared, state="99")
    assert row["state"] == "1"
    row = shared.update("incident", row["sys_id"], {"state": "2"}, agent(shared))
    row = shared.update("incident", row["sys_id"], {"state": "99", "description": "x"}, agent(shared))
    assert (row["state"], row["incident_state"]) == ("2", "2")


@pytest.mark.parametrize(
    ("column", "sent", "stored"),
    [
        ("state", "In Progress", "2"),
        ("impact", "1 - High", "1"),
        ("due_date", "2026-05-05 03:00:00", "2026-05-05 10:00:00"),
        ("caller_id", "Carla Reuter", "caller.one"),
    ],
)
def test_input_can_be_what_people_see(shared: Instance, column: str, sent: str, stored: str) -> None:
    """Labels, names, and moments in the caller's zone, California."""
    row = shared.insert("incident", {column: sent}, agent(shared), display_values=True)
    assert row[column] == (shared.user(stored).sys_id if column == "caller_id" else stored)


def test_a_longer_column_takes_longer_texts(snow: Instance) -> None:
    """Customers widen columns: by `sys_dictionary`, from the next write on."""
    entry = snow.find("sys_dictionary", "name=task^element=short_description")[0]
    assert entry["max_length"] == "160"
    snow.update("sys_dictionary", entry["sys_id"], {"max_length": "200"})
    assert len(incident(snow, short_description="x" * 300)["short_description"]) == 200


def test_passwords_are_neither_stored_nor_shown(snow: Instance) -> None:
    """Whoever writes one through the Table API writes nothing."""
    row = snow.insert("sys_user", {"user_name": "new", "user_password": "secret"})
    assert row["user_password"] == ""
    assert _shown(snow, "sys_user", row, "user_password", Display.SHOWN) == "********"


@pytest.mark.parametrize(
    ("rule", "who", "kept"),
    [
        ("honoured", "azure.integration", True),
        ("honoured", "admin", True),
        ("admin_only", "azure.integration", False),
        ("admin_only", "admin", True),
        ("dropped", "admin", False),
    ],
)
def test_a_callers_sys_id_is_kept_or_dropped(snow: Instance, rule: str, who: str, kept: bool) -> None:  # noqa: FBT001 - a table
    """As vendor's tests see it, it is kept, in the case it was sent; switches stand for the other beliefs."""
    snow.properties.set("sandbox.insert.client_sys_id", rule)
    row = incident(snow, snow.user(who), sys_id="AAAABBBBCCCCDDDDEEEEFFFF00001111")
    assert (row["sys_id"] == "AAAABBBBCCCCDDDDEEEEFFFF00001111") is kept
    assert len(row["sys_id"]) == 32


@pytest.mark.parametrize("sent", ["", "x" * 33, "ä" * 32, "a b", None, 5])
def test_an_id_that_cannot_be_one_is_dropped(shared: Instance, sent: Any) -> None:
    """At most 32 letters and digits; otherwise the instance invents one."""
    assert len(incident(shared, sys_id=sent)["sys_id"]) == 32
    assert incident(shared, sys_id=sent)["sys_id"] != sent


def _shown(
    instance: Instance, table: str, row: dict[str, str], field: str, display: Display, *, links: bool = True
) -> Any:
    presenter = Presenter(instance, agent(instance), display=display, with_links=links, fields=[field], url="https://x")
    return presenter.show(table, row).get(field)


_LINK = f"https://x/api/now/table/sys_user/{ADMIN_ID}"


@pytest.mark.parametrize(
    ("field", "value", "shown", "both"),
    [
        ("state", "1", "New", {"display_value": "New", "value": "1"}),
        ("active", "true", "true", {"display_value": "true", "value": "true"}),
        ("description", "", "", {"display_value": "", "value": ""}),
        ("opened_at", "2026-05-04 12:00:00", "2026-05-04 05:00:00",
         {"display_value": "2026-05-04 05:00:00", "value": "2026-05-04 12:00:00"}),
        ("sys_class_name", "incident", "Incident", {"display_value": "Incident", "value": "incident"}),
        ("caller_id", "", "", {"display_value": "", "value": ""}),
        ("assigned_to", {"link": _LINK, "value": ADMIN_ID}, {"display_value": "System Administrator", "link": _LINK},
         {"display_value": "System Administrator", "link": _LINK, "value": ADMIN_ID}),
        ("assigned_to.email", "admin@example.com", "admin@example.com",
         {"display_value": "admin@example.com", "value": "admin@example.com"}),
        ("assigned_to.department.name", "Finance", "Finance", {"display_value": "Finance", "value": "Finance"}),
        ("caller_id.email", "", "", {"display_value": "", "value": ""}),
        ("nonsense", None, None, None),
        ("assigned_to.nonsense", None, None, None),
        ("state.name", None, None, None),
    ],
)  # fmt: skip
def test_there_are_three_ways_to_show_a_value(shared: Instance, field: str, value: Any, shown: Any, both: Any) -> None:
    """The stored value, what people see, or both; unknown fields are left out."""
    row = incident(shared, assigned_to="admin")
    assert [_shown(shared, "incident", row, field, display) for display in Display] == [value, shown, both]


def test_the_state_of_a_virtual_machine_is_a_choice(shared: Instance) -> None:
    """Of every cloud's machines; what people see of it is what inventories group by."""
    values = {"name": "vm", "state": "ON", "guest_os_fullname": "Linux"}
    row = shared.insert("cmdb_ci_ec2_instance", values, agent(shared))
    shown = Presenter(shared, agent(shared), display=Display.SHOWN).show("cmdb_ci_vm_instance", row)
    assert (row["state"], shown["state"], shown["guest_os_fullname"]) == ("on", "On", "Linux")


def test_references_can_do_without_links(shared: Instance) -> None:
    """Then they are plain texts, unless both value and name are wanted."""
    row = incident(shared, assigned_to="admin")
    shown = [_shown(shared, "incident", row, "assigned_to", display, links=False) for display in Display]
    name = "System Administrator"
    assert shown == [ADMIN_ID, name, {"display_value": name, "value": ADMIN_ID}]


def test_every_value_of_a_whole_record_is_a_text(shared: Instance) -> None:
    """Or, for a reference, a link with a value; nothing is a number, a boolean or null."""
    row = incident(shared, assigned_to="admin", work_notes="Seen")
    shown = Presenter(shared, agent(shared)).show("incident", row)
    assert len(shown) > 80
    assert {type(cell) for cell in shown.values()} == {str, dict}
    assert all(set(cell) == {"link", "value"} for cell in shown.values() if isinstance(cell, dict))


def test_a_reference_to_nothing_keeps_its_value(shared: Instance) -> None:
    """People see nothing, programs the id."""
    row = incident(shared, assigned_to="0" * 32)
    assert _shown(shared, "incident", row, "assigned_to", Display.BOTH, links=False) == {
        "display_value": "",
        "value": "0" * 32,
    }


def test_journals_are_read_as_empty_and_shown_as_one_text(snow: Instance) -> None:
    """Newest first, in the reader's zone, each entry with its author and column; both columns have one together."""
    row = incident(snow, work_notes="First", comments="For the caller")
    snow.clock.move(timedelta(minutes=5))
    snow.update("incident", row["sys_id"], {"work_notes": "Second"}, snow.user("itil.agent"))
    assert _shown(snow, "incident", row, "work_notes", Display.VALUE) == ""
    first = "2026-05-04 05:00:00 - Azure (Work notes)\nFirst\n\n"
    second = "2026-05-04 05:05:00 - Ines Tilburg (Work notes)\nSecond\n\n"
    comment = "2026-05-04 05:00:00 - Azure (Additional comments)\nFor the caller\n\n"
    assert _shown(snow, "incident", row, "work_notes", Display.BOTH) == {"display_value": second + first, "value": ""}
    assert _shown(snow, "incident", row, "comments_and_work_notes", Display.SHOWN) == second + comment + first


def test_journal_entries_are_rows(snow: Instance) -> None:
    """Each with its table, column and record; they go with the record."""
    row = incident(snow, work_notes="w" * 5000)
    entry = snow.find("sys_journal_field", f"element_id={row['sys_id']}^name=incident^element=work_notes")[0]
    assert (entry["value"], entry["sys_created_by"]) == ("w" * 4000, "azure.integration")
    snow.delete("incident", row["sys_id"])
    assert snow.find("sys_journal_field", f"element_id={row['sys_id']}") == []


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("1970-01-01 00:00:10", "10 Seconds"), ("1970-01-02 01:01:00", "1 Day 1 Hour 1 Minute"),
     ("1970-01-01 00:00:00", "0 Seconds"), ("", "")],
)  # fmt: skip
def test_a_duration_is_a_moment_after_1970(stored: str, shown: str) -> None:
    """People see days, hours, minutes and seconds."""
    assert shown_duration(stored) == shown


_MOMENTS = st.datetimes(min_value=from_stamp("1990-01-01").replace(tzinfo=None))  # type: ignore[union-attr] # a real stamp


@given(moment=_MOMENTS, zone=st.sampled_from(["UTC", "Asia/Kolkata", "Nowhere/Land"]))
@settings(max_examples=100)
def test_a_moment_survives_being_shown_and_read_back(moment: Any, zone: str) -> None:
    """In zones without summer time, to the second."""
    user = User("u", "u", time_zone=zone, date_format="dd/MM/yyyy", time_format="hh:mm:ss a")
    stamp = moment.strftime("%Y-%m-%d %H:%M:%S")
    if moment.year < 9999:
        assert moment_from_user(shown_moment(stamp, user), user) == stamp


@given(text=st.text(max_size=20))
@settings(max_examples=100)
def test_no_text_is_too_strange_for_a_date(text: str) -> None:
    """What is none is shown as it is and read as none."""
    for zone in ("US/Pacific", "Asia/Kolkata"):
        user = User("u", "u", time_zone=zone)
        assert isinstance(shown_moment(text, user), str)
        assert moment_from_user(text, user) == "" or from_stamp(moment_from_user(text, user)) is not None


@pytest.mark.parametrize("stamp", ["0001-01-01 00:00:00", "9999-12-31 23:59:59"])
def test_the_ends_of_time_are_shown_without_a_zone(stamp: str) -> None:
    """Nothing breaks where the zone would lead beyond the calendar."""
    for zone in ("US/Pacific", "Asia/Kolkata"):
        assert shown_moment(stamp, User("u", "u", time_zone=zone))


def test_the_clock_can_be_moved_and_stopped() -> None:
    """So that days pass in a test without waiting."""
    source = from_stamp("2026-05-04 12:00:00")
    assert source is not None
    clock = Clock(lambda: source)
    clock.move(timedelta(days=1))
    assert (clock.stamp(), clock.shift) == ("2026-05-05 12:00:00", timedelta(days=1))
    clock.freeze()
    clock.move(timedelta(hours=1))
    assert clock.stamp() == "2026-05-05 13:00:00"
    clock.run()
    assert clock.stamp() == "2026-05-04 13:00:00"
    assert as_stamp(source) == "2026-05-04 12:00:00"


def test_a_unique_column_takes_no_value_twice(snow: Instance) -> None:
    """With the database's own words; empty values may repeat."""
    column = snow.dictionary.column("incident", "correlation_id")
    assert column is not None
    snow.add_column("incident", replace(column, unique=True))
    first = incident(snow, correlation_id="one")
    incident(snow)
    incident(snow)
    with pytest.raises(Exception, match=r"Unique Key violation .*Duplicate entry 'one' for key 'correlation_id'"):
        incident(snow, correlation_id="one")
    assert snow.update("incident", first["sys_id"], {"description": "x"})["correlation_id"] == "one"


def test_the_id_of_a_row_is_taken_once(snow: Instance) -> None:
    """Across the whole family; its status is unverified, so a property sets it."""
    row = incident(snow)
    with pytest.raises(
        Exception, match=rf"403 Operation Failed: Unique Key.*'{row['sys_id'].upper()}' for key 'PRIMARY'"
    ):
        incident(snow, sys_id=row["sys_id"].upper())
    snow.properties.set("sandbox.insert.duplicate_status", "500")
    with pytest.raises(Exception, match="500 Operation Failed"):
        snow.insert("problem", {"sys_id": row["sys_id"]})
    assert snow.get("incident", row["sys_id"]) == row


def test_a_seed_makes_ids_repeat() -> None:
    """And without one they do not."""
    ids = [incident(new_instance(seed=seed))["sys_id"] for seed in (1, 1, None, None)]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_a_column_of_a_new_type_is_a_text() -> None:
    """A type that the stand-in does not treat differently changes nothing."""
    snow = new_instance()
    values = {"name": "incident", "element": "u_html", "internal_type": "html", "max_length": "5", "column_label": "H"}
    snow.insert("sys_dictionary", values)
    assert incident(snow, u_html="<b>bold")["u_html"] == "<b>bo"
    assert snow.dictionary.column("incident", "u_html") == Column("u_html", "H", ColumnType.STRING, max_length=5)
