"""aiosnow, a dormant asynchronous client with typed models, against the sandbox over plain HTTP.

It asks for every field with its display value and checks what comes back against its own schema of ``incident``.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.strangers.stand_in import ADMIN, StandIn, plain, stranger

from secure_export.sandbox.servicenow.demo_access import PASSWORD

aiosnow = stranger("aiosnow")
models = stranger("aiosnow.models.table.declared")
exceptions = stranger("aiosnow.exceptions")

# The client's, not ours: its pins are old.
pytestmark = [
    pytest.mark.filterwarnings("ignore::marshmallow.warnings.RemovedInMarshmallow4Warning"),
    pytest.mark.filterwarnings("ignore:verify_ssl is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The .auth. parameter is deprecated:DeprecationWarning"),
]


@pytest.fixture
async def snow() -> AsyncIterator[StandIn]:
    async with plain() as stand_in:
        yield stand_in


def incidents(snow: StandIn, password: str = PASSWORD) -> Any:
    client = aiosnow.Client(snow.address, basic_auth=(ADMIN, password), use_ssl=False)
    return models.IncidentModel(client, table_name="incident")


async def test_a_record_lives_and_dies(snow: StandIn) -> None:
    """Values and labels of choices come as its schema wants them."""
    async with incidents(snow) as model:
        made = await model.create({"short_description": "Disk full", "urgency": 1, "impact": 1})
        assert made["number"].startswith("INC")
        assert made["priority"].key == 1
        updated = await model.update(models.IncidentModel.number == made["number"], {"state": 2})
        assert updated["state"].value == "In Progress"
        found = await model.get_one(models.IncidentModel.sys_id == made["sys_id"])
        assert found["short_description"] == "Disk full"
        await model.delete(made["sys_id"])
        with pytest.raises(exceptions.NoItems):
            await model.get_one(models.IncidentModel.sys_id == made["sys_id"])


async def test_a_list_is_streamed_in_pages(snow: StandIn) -> None:
    """Each row once, in the order that was asked for."""
    for number in range(7):
        snow.instance.insert("incident", {"short_description": f"Page {number}"})
    async with incidents(snow) as model:
        field = models.IncidentModel.short_description
        query = aiosnow.select(field.starts_with("Page")).order_asc(field)
        rows = [row["short_description"] async for _, row in model.stream(query, page_size=3)]
        assert rows == [f"Page {number}" for number in range(7)]


async def test_attachments_go_there_and_back(snow: StandIn, tmp_path: Path) -> None:
    """It finds them by a query and follows their download link."""
    record = snow.instance.insert("incident", {"short_description": "x"})["sys_id"]
    file = tmp_path / "sent.txt"
    file.write_bytes(b"one two")
    (back := tmp_path / "back").mkdir()
    async with incidents(snow) as model:
        await model.upload_file(record, str(file))
        handler = await model.download_file(f"table_sys_id={record}", str(back))
        assert handler.file_path == str(back / "sent.txt")
    assert (back / "sent.txt").read_bytes() == b"one two"


async def test_a_wrong_password_is_told(snow: StandIn) -> None:
    """By the message of the envelope."""
    async with incidents(snow, "wrong") as model:
        with pytest.raises(exceptions.RequestError, match="User Not Authenticated"):
            await model.get(limit=1)


async def test_an_invalid_query_term_is_left_out(snow: StandIn) -> None:
    """The trap shows itself to strangers, too: all rows come."""
    async with incidents(snow) as model:
        response = await model.get("no_such_field=x", limit=3)
        assert len(response) == min(3, snow.instance.tables.count("incident"))
