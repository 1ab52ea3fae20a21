"""Sections are put into the configuration file; comments and everything else in it stay."""

import json
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pytest
from tests.unit.azure.itsmc.building import SUBSCRIPTION, action, group, migration, rule

from secure_export.azure.itsmc.configuration import Written, rendered, written
from secure_export.azure.itsmc.file import read_text, replace_file
from secure_export.azure.itsmc.migration import Migration
from secure_export.azure.itsmc.sections import Section, secrets_of, sections_of, to_fill_in
from secure_export.errors import SettingsError
from secure_export.itsm.registry import connector_types
from secure_export.settings_file import read_settings

FIELDS = {"Node": 'it\'s "x"'}
SHIPPED = (files("secure_export.cli") / "secure-export.toml").read_text(encoding="utf-8")


def found() -> Migration:
    logs = tuple(rule(name) for name in ("a", "b"))
    return migration(
        group("ag", action("x", CreateOneWIPerCI=True), rules=logs),
        group("ag-events", action("y", WorkItemType="Event", WorkItemData=json.dumps(FIELDS)), rules=(rule("c"),)),
    )


def sections(tool: str = "servicenow") -> Sequence[Section]:
    return sections_of(found(), tool=tool, several_tenants=False)


def put(text: str, *, force: bool = False, public_url: str | None = None) -> Written:
    return written(text, sections(), force=force, public_url=public_url)


@pytest.mark.parametrize("tool", ["servicenow", "bmc-helix", "desk"])
def test_the_result_is_read_by_the_program_itself(tool: str, tmp_path: Path) -> None:
    """What is written can be used as it is, but for what a person fills in."""
    path = tmp_path / "secure-export.toml"
    path.write_text(written(SHIPPED, sections(tool)).text, encoding="utf-8")
    settings = read_settings(path, connector_types())
    assert settings.connections["log-central"].type == tool
    assert settings.azure.action_groups["ag"].connection == "log-central"
    routes = settings.connections["log-central"].routes
    assert [(one.work_item, one.group_by.value) for one in routes if one.when is None] == [("incident", "alert")]


def test_all_that_was_there_stays_to_the_letter() -> None:
    """New sections are added at the end; not a blank of the rest changes."""
    assert put(SHIPPED).text.startswith(SHIPPED)
    assert put("[identity]  # mine").text.startswith("[identity]  # mine\n\n# ITSMC")


@pytest.mark.parametrize("text", [SHIPPED, SHIPPED.replace("\n", "\r\n"), ""])
def test_a_second_run_changes_nothing(text: str) -> None:
    """What is there as it should be is left."""
    once = put(text)
    again = put(once.text)
    assert (again.text, again.added, again.changed, again.conflicts) == (once.text, (), (), ())


def test_what_a_person_filled_in_is_theirs() -> None:
    """The next run, and one that overwrites, leave address, user and password alone."""
    filled = put(SHIPPED).text.replace("https://fill-in.invalid", "https://acme.service-now.com")
    filled = filled.replace('username = "fill-in"', 'username = "azure"\ncategory = "Hardware"')
    assert put(filled, force=True).text == filled
    assert to_fill_in(put(filled, public_url="https://a.example").plain, found()) == []


def test_what_is_left_to_people_is_listed_and_no_secret_is_written() -> None:
    """A password is the name of a variable; what has to be filled in is named with its setting."""
    done = put(SHIPPED)
    assert [one.partition(":")[0] for one in to_fill_in(done.plain, found())] == [
        "connections.log-central.url", "connections.log-central.username", "server.public_url"]  # fmt: skip
    assert secrets_of(done.plain, found()) == {"connections.log-central.password": "LOG_CENTRAL_PASSWORD"}


def test_a_section_that_says_something_else_is_left_unless_it_is_forced() -> None:
    """What a person decided is not overwritten by accident."""
    theirs = put(SHIPPED).text.replace('group_by = "ci"', 'group_by = "rule" # ours', 1)
    refused = put(theirs)
    assert [(one.section, one.keys) for one in refused.conflicts] == [("connections.log-central", ("routes",))]
    assert refused.text == theirs
    forced = put(theirs, force=True)
    assert forced.changed == ("connections.log-central",)
    assert tomllib.loads(forced.text) == put(SHIPPED).plain
    assert "# Where Azure and people reach this service" in forced.text


def test_subscriptions_found_later_are_added_to_those_there_are() -> None:
    """A connection may take more than ITSMC needs, and never less."""
    fewer = put(SHIPPED).text.replace(f'subscriptions = ["{SUBSCRIPTION}"]', 'subscriptions = ["aaaa"]  # shop')
    grown = put(fewer)
    assert grown.plain["connections"]["log-central"]["subscriptions"] == ["aaaa", SUBSCRIPTION]
    every = fewer.replace('["aaaa"]', '["*"]')
    assert put(every).text == every


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (SHIPPED, 'public_url = "https://a.example"'),
        ('[server]\npublic_url = "https://old.example" # why\n', 'public_url = "https://a.example" # why'),
        ("", 'public_url = "https://a.example"'),
    ],
)
def test_the_public_address_is_written_where_it_belongs(text: str, line: str) -> None:
    """In the section that there is, with its comments."""
    done = put(text, public_url="https://a.example")
    assert line in done.text.splitlines()
    assert done.plain["server"]["public_url"] == "https://a.example"


@pytest.mark.parametrize("text", ["connections = { desk = { type = 'desk' } }\n", "broken = \n"])
def test_what_cannot_be_changed_is_refused_with_what_to_do(text: str) -> None:
    """A file that takes no sections is left, and the plan shows what to write."""
    with pytest.raises(SettingsError, match="by hand"):
        put(text)


def test_comments_of_others_make_no_lines() -> None:
    """A name in Azure with a line end in it is a comment still."""
    told = rendered([Section(("connections", "x"), {"type": "desk"}, comment="a\n[evil]\r\nb")])
    assert tomllib.loads(told) == {"connections": {"x": {"type": "desk"}}}


def test_the_file_is_replaced_with_its_old_self_beside_it(tmp_path: Path) -> None:
    """Each backup has a name of its own, and the rights of the file stay."""
    path = tmp_path / "a.toml"
    path.write_bytes(b"old = 1\r\n")
    path.chmod(0o640)
    backups = [replace_file(path, f"new = {n}\n", was=read_text(path), check=lambda _: None) for n in (1, 2)]
    assert [one.name for one in backups] == ["a.toml.before-itsmc", "a.toml.before-itsmc-2"]
    assert [one.read_bytes() for one in backups] == [b"old = 1\r\n", b"new = 1\n"]
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new = 2\n", 0o640)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What it leads to is what is written."""
    real, link = tmp_path / "real.toml", tmp_path / "link.toml"
    real.write_text("old")
    link.symlink_to(real)
    replace_file(link, "new", was="old", check=lambda _: None)
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_what_the_program_could_not_read_is_not_written(tmp_path: Path) -> None:
    """The file stays, nothing lies around, and the fault is named with the file's own name."""
    path = tmp_path / "a.toml"
    path.write_text("old")
    with pytest.raises(SettingsError, match=r"nothing was written.*\n.*a\.toml"):
        replace_file(path, "[nonsense]\n", was="old", check=lambda one: read_settings(one, connector_types()))
    assert [one.name for one in tmp_path.iterdir()] == ["a.toml"]
    assert path.read_text() == "old"


def test_a_file_that_somebody_changed_meanwhile_is_left(tmp_path: Path) -> None:
    """What they wrote is not lost."""
    path = tmp_path / "a.toml"
    path.write_text("theirs")
    with pytest.raises(SettingsError, match="somebody else"):
        replace_file(path, "ours", was="old", check=lambda _: None)
    assert path.read_text() == "theirs"
