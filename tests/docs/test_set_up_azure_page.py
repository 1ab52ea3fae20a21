"""The page about setting up Azure: its configuration is read, and the messages that it explains are said."""

import re
import tomllib
from pathlib import Path

from tests.docs.pages import DOCS

from secure_export.azure.settings import AzureSettings

PAGE = (DOCS / "how-to" / "set-up-azure.md").read_text(encoding="utf-8")
SOURCES = DOCS.parent / "src" / "secure_export"


def test_its_configuration_is_read() -> None:
    """Whoever copies the blocks gets a section that is understood, with the action group linked as the page says."""
    blocks = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    azure = [tomllib.loads("\n".join(line.strip() for line in block.splitlines()))["azure"] for block in blocks]
    assert len(azure) == 3
    read = [AzureSettings.model_validate(one) for one in azure]
    assert read[0].action_groups["ag-secure-export"].link.subscription is True
    assert read[1].application.owners == ("44444444-4444-4444-8444-444444444444",)


def test_the_messages_that_it_explains_are_said() -> None:
    """Each line of 'What may go wrong' is found in the program, so that a reader's search ends here."""
    table = PAGE.partition("## What may go wrong")[2]
    messages = [text.replace("5 action groups", "") for text in re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)]
    assert len(messages) >= 9
    said = _strings()
    assert [one for one in messages if one.strip() not in said] == []


def _strings() -> str:
    folders = (SOURCES / "azure" / "setup", SOURCES / "cli" / "azure")
    files: list[Path] = [file for folder in folders for file in folder.rglob("*.py")]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)
