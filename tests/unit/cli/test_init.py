"""The configuration that ``secure-export init`` writes."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from secure_export.cli.main import app
from secure_export.itsm.registry import connector_types
from secure_export.settings_file import read_settings

SUBSCRIPTION = "0f4c8a77-5d21-4b6e-9c13-a8e2d7b4f650"


def written(folder: Path) -> Path:
    file = folder / "secure-export.toml"
    ran = CliRunner().invoke(app, ["init", str(file), "--subscription", SUBSCRIPTION])
    assert ran.exit_code == 0, ran.output
    return file


def test_the_file_can_be_read_as_it_is(tmp_path: Path) -> None:
    """What is to be filled in has values that are read."""
    settings = read_settings(written(tmp_path), connector_types())
    assert set(settings.connections) == {"desk"}
    assert settings.connections["desk"].subscriptions == [SUBSCRIPTION]


@pytest.mark.parametrize("tool", ["servicenow", "bmc-helix"])
def test_each_example_only_has_to_be_uncommented(tool: str, tmp_path: Path) -> None:
    """Whoever takes the marks away has a connection that is read, with the subscriptions that were named."""
    file = written(tmp_path)
    text = file.read_text(encoding="utf-8")
    before, mark, rest = text.partition(f"# [connections.{tool}]\n")
    assert mark, f"there is no example of {tool}"
    example, _, after = (mark + rest).partition("\n\n")
    lines = [line.removeprefix("#").removeprefix(" ") for line in example.splitlines()]
    file.write_text("\n".join([before, *lines, "", after]), encoding="utf-8")
    settings = read_settings(file, connector_types())
    assert set(settings.connections) == {"desk", tool}
    connection = settings.connections[tool]
    assert (connection.type, connection.subscriptions) == (tool, [SUBSCRIPTION])
    assert [route.work_item for route in connection.routes] == ["incident"]
