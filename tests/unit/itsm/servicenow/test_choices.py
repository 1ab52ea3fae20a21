"""From what people write to what ServiceNow keeps."""

import asyncio

import pytest
from tests.unit.itsm.scripted import AlwaysIn
from tests.unit.itsm.servicenow.fake_instance import Asked, FakeInstance, failure, lost

from secure_export.itsm.answer import Answer
from secure_export.itsm.ended import Ended
from secure_export.itsm.servicenow.api.table_api import TableApi
from secure_export.itsm.servicenow.tasks.choices import Choices
from secure_export.workitems.outcome import TryLater

COLUMNS = {
    "short_description": ("task", "string", "", "160", ""),
    "assignment_group": ("task", "reference", "sys_user_group", "32", ""),
    "contact_type": ("task", "string", "", "40", "1"),
    "location": ("task", "reference", "cmn_location", "32", ""),
    "caller_id": ("incident", "reference", "sys_user", "32", ""),
    "category": ("incident", "string", "", "40", "3"),
    "u_hint": ("incident", "string", "", "5", "2"),
}


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def choices(instance: FakeInstance, clock: Clock | None = None) -> Choices:
    return Choices(TableApi(instance, AlwaysIn(), clock=lambda: instance.now), monotonic=clock or Clock())


def instance(*, dictionary: bool = True) -> FakeInstance:
    made = FakeInstance()
    for element, (table, kind, reference, length, choice) in (COLUMNS if dictionary else {}).items():
        made.put(
            "sys_dictionary", name=table, element=element, internal_type=kind, reference=reference, max_length=length,
            choice=choice,
        )  # fmt: skip
    made.put("sys_db_object", name="incident", **{"super_class.name": "task"})
    made.put_choice("task", "contact_type", "monitoring", "Monitoring")
    made.put_choice("task", "category", "wrong", "Cloud")
    made.put_choice("incident", "category", "cloud", "Cloud")
    made.put("sys_user", "a" * 32, user_name="ada", email="ada@example.com", name="Ada Lovelace", active="true")
    made.put("sys_user", "b" * 32, user_name="ada2", email="", name="Ada Lovelace", active="true")
    made.put("sys_user", "c" * 32, user_name="old", email="", name="Grace Hopper", active="false")
    made.put("sys_user", "d" * 32, user_name="new", email="", name="Grace Hopper", active="true")
    return made


@pytest.mark.parametrize("dictionary", [True, False])
@pytest.mark.parametrize(
    ("field", "text", "found"),
    [
        ("category", "cloud", "cloud"),
        ("category", " CLOUD ", "cloud"),
        ("contact_type", "Monitoring", "monitoring"),
        ("assignment_group", "Linux", "0" * 32),
        ("assignment_group", "linux", "0" * 32),
        ("assignment_group", "E" * 32, "e" * 32),
        ("caller_id", "ada", "a" * 32),
        ("caller_id", "ADA@example.com", "a" * 32),
        ("caller_id", "Grace Hopper", "d" * 32),
    ],
)
async def test_names_and_labels_become_values(dictionary: bool, field: str, text: str, found: str) -> None:  # noqa: FBT001 - a case
    """Whether the dictionary can be read or not, what every instance has is looked up; a sys_id is taken as it is."""
    told = await choices(instance(dictionary=dictionary)).fields("incident", {field: text})
    assert (told.values, told.remarks) == ({field: found}, ())


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("category", "printer", "choices (Cloud)"),
        ("assignment_group", "Windows", "sys_user_group"),
        ("caller_id", "nobody", "user_name or email or name"),
        ("caller_id", "Ada Lovelace", "2 rows"),
        ("assignment_group", "a^ORDERBYname", "cannot be looked up"),
        ("assignment_group", "javascript:gs.sleep(1)", "cannot be looked up"),
        ("assignment_group", "JavaScript:gs.sleep(1)", "cannot be looked up"),
        ("u_missing", "x", "no field u_missing"),
    ],
)
async def test_what_is_not_found_is_left_out_and_told(field: str, text: str, words: str) -> None:
    """The work item is made without that field, and the remark says what to mend; no name is put into a query raw."""
    told = await choices(instance()).fields("incident", {field: text})
    assert told.values == {}
    assert words in told.remarks[0]


async def test_a_name_that_is_passed_over_finds_nothing() -> None:
    """An instance that ignores our condition gives any group: it is not taken."""
    there = instance()
    there.ignored = {"name"}
    told = await choices(there).fields("incident", {"assignment_group": "Windows"})
    assert told.values == {}


async def test_defaults_of_the_connection_are_left_out_quietly_where_a_table_lacks_them() -> None:
    """Caller and category belong to incidents; a problem of the same connection is made without a word about them."""
    told = await choices(instance()).fields("incident", {"u_missing": "x"}, quiet=frozenset({"u_missing"}))
    assert (told.values, told.remarks) == ({}, ())


async def test_texts_are_cut_to_the_length_that_the_dictionary_says() -> None:
    """Over-long texts would be cut without a word; suggestions take any text."""
    told = await choices(instance()).fields("incident", {"u_hint": "abcdefgh"})
    assert told.values == {"u_hint": "abcd…"}
    assert "5 characters" in told.remarks[0]


async def test_empty_texts_are_not_asked_for() -> None:
    """An empty value in a query would match whatever has none."""
    there = instance()
    told = await choices(there).fields("incident", {"caller_id": " ", "category": ""})
    assert (told.values, told.remarks) == ({}, ())
    assert "sys_user" not in {asked.table for asked in there.asked}


async def test_what_was_found_is_kept_and_what_was_not_for_a_shorter_time() -> None:
    """A thousand alerts do not mean a thousand look-ups, and what an administrator adds is soon seen."""
    there, clock = instance(), Clock()
    known = choices(there, clock)

    async def ask(text: str) -> int:
        there.asked.clear()
        await known.fields("incident", {"assignment_group": text})
        return len(there.asked)

    assert await ask("Linux") > 0
    assert await ask("Windows") == 1
    assert (await ask("Linux"), await ask("Windows")) == (0, 0)
    clock.seconds = 61
    assert (await ask("Linux"), await ask("Windows")) == (0, 1)
    clock.seconds = 601
    assert await ask("Linux") > 0


async def test_many_who_ask_at_once_ask_once() -> None:
    """Lanes that begin together share one look-up; one that is cancelled stops no other."""
    there = instance()
    known = choices(there)
    gone = asyncio.create_task(known.fields("incident", {"assignment_group": "Linux"}))
    await asyncio.sleep(0)
    gone.cancel()
    told = await asyncio.gather(*(known.fields("incident", {"assignment_group": "Linux"}) for _ in range(20)))
    assert all(one.values == {"assignment_group": "0" * 32} for one in told)
    assert [asked.table for asked in there.asked].count("sys_user_group") == 1


async def test_a_look_up_without_an_answer_is_later_and_not_kept() -> None:
    """A work item is not made without its group because the network failed for a moment."""
    there = instance()
    known = choices(there)
    there.before = [lambda asked: lost() if asked.table == "sys_user_group" else None]
    with pytest.raises(Ended) as ended:
        await known.fields("incident", {"assignment_group": "Linux"})
    assert isinstance(ended.value.outcome, TryLater)
    there.before.clear()
    assert (await known.fields("incident", {"assignment_group": "Linux"})).values


async def test_tables_that_may_not_be_read_do_not_stop_a_work_item() -> None:
    """Without rights to sys_choice and sys_user_group values are sent as they are, or left out with a remark."""
    there = instance()

    def closed(asked: Asked) -> Answer | None:
        return failure(403, "Insufficient rights to query records") if asked.table.startswith("sys_") else None

    there.before = [closed]
    told = await choices(there).fields("incident", {"category": "Cloud", "assignment_group": "Linux"})
    assert told.values == {"category": "Cloud"}
    assert "cannot be read" in told.remarks[0]


async def test_a_choice_that_was_taken_out_of_use_is_none() -> None:
    """An instance that passes over our condition gives inactive choices, too."""
    there = instance()
    there.ignored = {"inactive", "element", "name"}
    there.put_choice("incident", "close_code", "Old", "Old")
    next(row for row in there.rows["sys_choice"].values() if row["value"] == "Old")["inactive"] = "true"
    assert await choices(there).usable("incident", "close_code", ("Old", "cloud", "Duplicate")) == ("Duplicate",)


async def test_codes_that_can_be_used_keep_their_order() -> None:
    """The best of ours that is there comes first; without a list all are tried."""
    there = instance()
    known = choices(there)
    assert await known.usable("incident", "close_code", ("duplicate", "Gone", "Solution provided")) == (
        "Duplicate",
        "Solution provided",
    )
    there.rows["sys_choice"].clear()
    known.forget("incident", "close_code")
    assert await known.usable("incident", "close_code", ("A", "B")) == ("A", "B")
