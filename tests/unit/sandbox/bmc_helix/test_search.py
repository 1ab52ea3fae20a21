"""Searching (bmc-facts section 10, line 10)."""

import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sandbox.bmc_helix.served import (
    BASE,
    ENDED,
    INTERFACE,
    MINIMAL,
    STAGING,
    Client,
    new_server,
    path_of,
    served,
)

from secure_export.sandbox.bmc_helix.errors import ArError
from secure_export.sandbox.bmc_helix.qualification import MOST_DEPTH, And, Comparison, FieldRef, Or, Text, parse
from secure_export.sandbox.bmc_helix.server import ArServer


async def four(client: Client) -> list[str]:
    """Make four incidents: new and open, on hold, resolved, closed."""
    numbers = [await client.create(Description=f"Number {place}", mc_ueid=f"m{place}") for place in range(4)]
    client.person.hold(numbers[1])
    await client.change(numbers[2], ENDED)
    client.person.close(numbers[3])
    return numbers


async def found(client: Client, q: str, form: str = INTERFACE, **more: str) -> list[str]:
    entries = (await client.entries(form, q, fields="values(mc_ueid)", **more))["entries"]
    return [one["values"]["mc_ueid"] for one in entries]


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("'mc_ueid' = \"m1\"", ["m1"]),
        ("'mc_ueid'=\"m1\"", ["m1"]),
        ("\"m1\" = 'mc_ueid'", ["m1"]),
        ("'mc_ueid' != \"m1\"", ["m0", "m2", "m3"]),
        ("'Status' = \"Pending\"", ["m1"]),
        ("'Status' = 3", ["m1"]),
        ("'7' = 3", ["m1"]),
        ("'Status' < \"Resolved\"", ["m0", "m1"]),
        ("'Status' >= \"Resolved\"", ["m2", "m3"]),
        ("'Status'<4 AND 'Status'>1", ["m1"]),
        ("NOT 'Status' < \"Resolved\"", ["m2", "m3"]),
        ("'mc_ueid' = \"m0\" OR 'mc_ueid' = \"m2\"", ["m0", "m2"]),
        ("('mc_ueid' = \"m0\" OR 'mc_ueid' = \"m2\") AND 'Status' = \"Resolved\"", ["m2"]),
        ("'mc_ueid' = \"m0\" OR 'mc_ueid' = \"m2\" AND 'Status' = \"Closed\"", ["m0"]),
        ("'Resolution' = $NULL$", ["m0", "m1"]),
        ("'Resolution' != $NULL$", ["m2", "m3"]),
        ("'Resolution' != \"x\"", ["m2", "m3"]),
        ("NOT 'Resolution' = \"x\"", ["m2", "m3"]),
        ("NOT ('Resolution' = \"x\" AND 'Status' < \"Closed\")", ["m2", "m3"]),
        ("NOT ('Resolution' = \"x\" OR 'Status' = \"Closed\")", ["m2"]),
        ("'Description' LIKE \"Number%\"", ["m0", "m1", "m2", "m3"]),
        ("'Description' LIKE \"%er _\"", ["m0", "m1", "m2", "m3"]),
        ("'Description' LIKE \"Number\"", []),
        ("'Submitter' = $USER$", ["m0", "m1", "m2", "m3"]),
        ("'Submit Date' <= $TIMESTAMP$", ["m0", "m1", "m2", "m3"]),
        ("'Submit Date' > \"2026-11-24T12:00:00.000+0000\"", []),
        ("'Submit Date' = \"11/24/2026 12:00:00\"", ["m0", "m1", "m2", "m3"]),
        ("'Priority Weight' >= 18 and 'mc_ueid' like \"m_\"", ["m0", "m1", "m2", "m3"]),
        ("'1000000161' = \"INC000000000431\"", ["m1"]),
        ("", ["m0", "m1", "m2", "m3"]),
        ("   ", ["m0", "m1", "m2", "m3"]),
        ("'mc_ueid' = \"nothing\"", []),
    ],
)
async def test_a_search_finds_what_it_says(q: str, expected: list[str]) -> None:
    """Comparison by order of selections, not of labels; what is empty is neither equal nor different."""
    async with served() as client:
        await four(client)
        assert await found(client, q) == expected


@pytest.mark.parametrize(
    "text",
    ['say "hi"', "it's", 'a "" b', "100% _x_", "ünï 🜚", "a\\b", "' OR '1' = '1", '" OR "1" = "1', "$NULL$"],
)
async def test_a_text_with_doubled_quotes_means_itself(text: str) -> None:
    """Whatever is in it; each quote within is doubled."""
    async with served() as client:
        await client.create(mc_ueid="other")
        await client.create(mc_ueid=text)
        quoted = text.replace('"', '""')
        assert await found(client, f"'mc_ueid' = \"{quoted}\"") == [text]


@pytest.mark.parametrize(
    ("q", "number"),
    [
        ("'mc_ueid' = ", 1587),
        ("'mc_ueid' \"m1\"", 1587),
        ('mc_ueid = "m1"', 1587),
        ("('mc_ueid' = \"m1\"", 1587),
        ("'mc_ueid' = \"m1\" 'x'", 1587),
        ("'mc_ueid' = \"m1", 1587),
        ("'mc_ueid' = $NOTHING$", 1587),
        ("'mc_ueid' < $NULL$", 1587),
        ("'Status' = \"Open\"", 1587),
        ("'Submit Date' > \"yesterday\"", 1587),
        ("'No Such Field' = \"x\"", 311),
        ("'Service_Type' = \"x\"", 311),
        ("(" * 200 + "'mc_ueid' = \"m1\"" + ")" * 200, 1587),
    ],
)
async def test_a_search_that_cannot_be_read_is_400(q: str, number: int) -> None:
    """A field or a label that there is not, too."""
    async with served() as client:
        seen = await client.ask("GET", f"{path_of(INTERFACE)}?{urlencode({'q': q})}")
        assert seen.error[:2] == (400, number)


async def test_nothing_found_is_200_with_an_empty_list() -> None:
    """Not 404."""
    async with served() as client:
        document = await client.entries(BASE, "'mc_ueid' = \"nothing\"")
        assert document["entries"] == []
        assert list(document["_links"]) == ["self"]


async def test_upper_case_is_told_from_lower_as_the_database_does() -> None:
    """By equality and by LIKE."""
    async with served() as client:
        await client.create(mc_ueid="Abc")
        for q in ("'mc_ueid' = \"ABC\"", "'mc_ueid' LIKE \"A_C\""):
            client.server.site.case_sensitive = True
            assert await found(client, q) == []
            client.server.site.case_sensitive = False
            assert await found(client, q) == ["Abc"]


async def test_what_is_found_is_sorted_as_asked() -> None:
    """By several fields; by the entry id if nothing is asked for."""
    async with served() as client:
        await four(client)
        assert await found(client, "", sort="mc_ueid.desc") == ["m3", "m2", "m1", "m0"]
        assert await found(client, "", sort="Status.desc,mc_ueid.asc") == ["m3", "m2", "m1", "m0"]
        assert await found(client, "", sort="Submit Date.desc, mc_ueid") == ["m0", "m1", "m2", "m3"]


async def test_a_page_has_a_hundred_entries_and_a_link_to_the_next() -> None:
    """Which carries all parameters, and leads to the rest; the last page has none."""
    async with served() as client:
        for place in range(103):
            client.server.create(STAGING, {**MINIMAL, "mc_ueid": f"m{place:03d}"})
        first = await client.entries(BASE, "'Status' < \"Resolved\"", sort="mc_ueid.desc", fields="values(mc_ueid)")
        assert len(first["entries"]) == 100
        (link,) = first["_links"]["next"]
        rest = await client.ask("GET", link["href"].removeprefix(client.url))
        assert [one["values"] for one in rest.json["entries"]] == [{"mc_ueid": f"m{place:03d}"} for place in (2, 1, 0)]
        assert "next" not in rest.json["_links"]
        assert "next" not in (await client.entries(BASE, offset="3"))["_links"]
        back = await client.ask("GET", rest.json["_links"]["prev"][0]["href"].removeprefix(client.url))
        assert back.json["entries"] == first["entries"]


async def test_limit_and_offset_cut_a_part_out() -> None:
    """Which is never more than the server gives."""
    async with served() as client:
        await four(client)
        assert await found(client, "", offset="1", limit="2") == ["m1", "m2"]
        client.server.site.most_entries = 3
        assert await found(client, "", limit="500") == ["m0", "m1", "m2"]
        assert await found(client, "", limit="0") == ["m0", "m1", "m2"]


@pytest.mark.parametrize("parameter", ["limit=-1", "offset=x", "limit=1.5", "fields=Status", "fields=values(Status"])
async def test_parameters_that_cannot_be_read_are_400(parameter: str) -> None:
    """Rather than ignored."""
    async with served() as client:
        assert (await client.ask("GET", f"/api/arsys/v1/entry/HPD:WorkLog?{parameter}")).status == 400


async def test_an_entry_can_be_asked_for_with_some_fields() -> None:
    """As a search can."""
    async with served() as client:
        number = await client.create()
        seen = await client.ask("GET", f"{await client.path(number)}?fields=values(Status,%20Incident%20Number)")
        assert seen.json["values"] == {"Status": "Assigned", "Incident Number": number}


async def test_what_changed_since_is_found_by_its_modified_date() -> None:
    """Changes, and work info on its own form if the site has it so."""
    async with served() as client:
        numbers = await four(client)
        since = "'Last Modified Date' > \"2026-11-24T12:00:00.000+0000\""
        assert await found(client, since) == []
        client.server.clock.move(timedelta(seconds=1))
        await client.change(numbers[0], {"Urgency": "4-Low"})
        client.person.comment(numbers[1], "x")
        assert await found(client, since) == ["m0", "m1"]
        client.server.site.notes_touch_incident = False
        client.server.clock.move(timedelta(seconds=1))
        client.person.comment(numbers[2], "x")
        assert await found(client, since) == ["m0", "m1"]


def test_a_search_by_key_among_ten_thousand_takes_no_time() -> None:
    """By one key, or by many joined by OR: an index finds them."""
    server = many(10_000)
    for q, count in ((key_of(5_000), 1), (" OR ".join(map(key_of, range(50))), 50)):
        server.search(INTERFACE, q)
        times = []
        for _ in range(20):
            began = time.perf_counter()
            assert len(server.search(INTERFACE, q)) == count
            times.append(time.perf_counter() - began)
        assert min(times) < 0.002


def many(count: int) -> ArServer:
    server = new_server()
    entry = server.read(STAGING, server.create(STAGING, {**MINIMAL, "Vendor Ticket Number": "azmon1:x"}) or "")
    (row,) = server.entries.rows(BASE)
    assert entry["Incident Number"] == row["Incident Number"]
    for place in range(count):
        entry_id = f"INC9{place:011d}"
        changed: dict[str, Any] = {"Entry ID": entry_id, "Vendor Ticket Number": f"azmon1:{place}"}
        server.entries.put(BASE, entry_id, row | changed)
    return server


def key_of(place: int) -> str:
    return f"'Vendor Ticket Number' = \"azmon1:{place}\""


@settings(max_examples=100, deadline=None)
@given(st.text(), st.text(min_size=1))
def test_any_text_can_be_quoted(value: str, name: str) -> None:
    """A doubled quote within is one; nothing else needs care."""
    doubled, field = value.replace('"', '""'), name.replace("'", "''")
    assert parse(f"'{field}' = \"{doubled}\"") == Comparison(FieldRef(name), "=", Text(value))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="'\"()= <>!$ANDORNTULKE%_ab1-.", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Never anything else, and never for ever."""
    assert refused_with(text) in (None, 1587)


def refused_with(text: str) -> int | None:
    try:
        parse(text)
    except ArError as refusal:
        return refusal.number
    return None


def test_and_binds_before_or() -> None:
    """As everywhere."""
    read = parse("'a' = 1 OR 'b' = 2 AND 'c' = 3")
    assert isinstance(read, Or)
    assert isinstance(read.any[1], And)


def test_brackets_are_nested_as_deeply_as_anybody_needs() -> None:
    """And no deeper."""
    assert parse("(" * (MOST_DEPTH - 1) + "'a' = 1" + ")" * (MOST_DEPTH - 1)) is not None
