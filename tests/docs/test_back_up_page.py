"""The page about backups and moves, typed as it stands."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from tests.docs.pages import DOCS, Block, text_of
from tests.docs.walk import Walk
from tests.postgres import Server
from tests.unit.store.copy.filled import filled

from secure_export.settings import StoreSettings

PAGE = DOCS / "how-to" / "back-up-and-move.md"
ON_THE_PAGE = "postgresql://owner@db.example/alerts"
CONFIGURATION = """
[store]
url = "{url}"

[identity]
tenant_id = "11111111-1111-4111-8111-111111111111"
audience = "22222222-2222-4222-8222-222222222222"

[connections.desk]
type = "desk"
subscriptions = ["33333333-3333-4333-8333-333333333333"]
"""
_INDENTED = re.compile(r"^   ", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def flat(kinds: set[str]) -> list[Block]:
    """Give the blocks of the page, those within lists, too."""
    found = _BLOCK.findall(_INDENTED.sub("", text_of(PAGE)))
    return [Block(kind, frozenset(marks.split()), body) for kind, marks, body in found if kind in kinds]


@pytest.mark.journey
async def test_every_step_does_what_the_page_shows(tmp_path: Path, postgres: Server) -> None:
    """Who follows the page has a backup, gets it back, and moves to PostgreSQL and from there."""
    await filled(tmp_path / "store.db")
    async with postgres.database(migrated=False) as name:
        url = postgres.url(name)
        (tmp_path / "secure-export.toml").write_text(CONFIGURATION.format(url="sqlite:///store.db"), encoding="utf-8")
        (tmp_path / "owner.toml").write_text(CONFIGURATION.format(url=url), encoding="utf-8")
        role = f"{name}_runner"
        await postgres.execute(f"CREATE ROLE {role} LOGIN")
        try:
            there = {ON_THE_PAGE: f"'{url}'", "sqlite:///alerts-again.db": f"sqlite://{tmp_path}/again.db"}
            there |= {"to runner": f"to {role}", "role runner": f"role {role}"}
            with Walk(tmp_path, ports=()) as walk:
                assert walk.follow([_with(block, there) for block in flat({"sh", "text"})]) == 7
        finally:
            await postgres.execute(f"DROP OWNED BY {role}", database=name)
            await postgres.execute(f"DROP ROLE {role}")


def _with(block: Block, names: dict[str, str]) -> Block:
    text = block.text
    for old, new in names.items():
        text = text.replace(old, new)
    return replace(block, text=text)


def test_the_settings_on_the_page_are_those_of_a_store() -> None:
    """What is to be copied into the configuration can be read there."""
    (block,) = flat({"toml"})
    settings = StoreSettings.model_validate(tomllib.loads(block.text)["store"])
    assert settings.password is not None
