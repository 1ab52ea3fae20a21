"""What every page must keep: links that lead somewhere, examples that are right, nothing of the writer's machine."""

import json
import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from tests.docs.pages import DOCS, PAGES, ROOT, Block, anchors, blocks, links, prose, text_of

from secure_export.itsm.registry import connector_types
from secure_export.settings import Settings
from secure_export.settings_file import read_settings

PACKAGE = ROOT / "src" / "secure_export"
SECTIONS = tuple(Settings.model_fields)
A_TENANT = """[identity]
tenant_id = "11111111-1111-4111-8111-111111111111"
audience = "22222222-2222-4222-8222-222222222222"
"""
A_DESK = '[connections.desk]\ntype = "desk"\nsubscriptions = ["33333333-3333-4333-8333-333333333333"]\n'
MODULE = re.compile(r"`((?:[a-z_]+/)*[a-z_]+\.(?:py|sql|toml|lock))`")
OF_A_MACHINE = re.compile(
    r"/(?:root|tmp|home/[a-z]+|work|Users)/[\w./-]*|\b(?:pypi|pythonhosted|files\.python)\b", re.IGNORECASE
)
INDEX_ADDRESS = re.compile(r"https?://[^\s)>\"']*(?:/simple\b|/pypi\b|/packages/)", re.IGNORECASE)
PERSONS_WORDS = re.compile(
    r"\b(?:todo|fixme|lorem|simply|seamless|robust|powerful|blazing|cutting-edge)\b", re.IGNORECASE
)
PICTOGRAPHS = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\ufe0f]")


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


every_page = pytest.mark.parametrize("page", PAGES, ids=named)


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    """A link within the repository names a file that is there, and a heading that it has."""
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{named(page)}: {link} leads nowhere"
        if anchor:
            assert anchor in anchors(file), f"{named(page)}: {link}; there are {sorted(anchors(file))}"


@every_page
def test_a_page_begins_with_a_title_and_what_it_is_for(page: Path) -> None:
    """The first line is the page's one title; a sentence follows."""
    lines = prose(page).splitlines()
    assert re.fullmatch(r"# \S.*", lines[0])
    assert sum(line.startswith("# ") for line in lines) == 1
    first = next(line for line in lines[1:] if line and not line.startswith("<!--"))
    assert re.match(r"[A-Z`*]", first), first


@pytest.mark.parametrize("page", [page for page in PAGES if page.is_relative_to(DOCS)], ids=named)
def test_every_page_is_in_the_index(page: Path) -> None:
    """Whoever looks through the index finds every page."""
    index = DOCS / "README.md"
    reached = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    assert page == index or page.resolve() in reached


@every_page
def test_nothing_of_a_machine_or_an_index(page: Path) -> None:
    """No page names a path of its writer's machine, or the host of a package index."""
    found = [*OF_A_MACHINE.findall(text_of(page)), *INDEX_ADDRESS.findall(text_of(page))]
    assert not found


@every_page
def test_plain_words(page: Path) -> None:
    """Pages say what is so: no leftovers, no words of an advertisement, no pictographs."""
    assert not PERSONS_WORDS.findall(prose(page))
    assert not PICTOGRAPHS.findall(text_of(page))


@every_page
def test_modules_that_are_named_exist(page: Path) -> None:
    """A file that a page names by its path is there."""
    for path in MODULE.findall(prose(page)):
        places = (ROOT, PACKAGE, page.parent, ROOT / "docs")
        if "/" in path:
            assert any((place / path).exists() for place in places), f"{named(page)}: {path}"
        else:
            assert path in FILE_NAMES, f"{named(page)}: {path}"


FILE_NAMES = {"secure-export.toml", "uv.lock"} | {
    path.name for path in chain(PACKAGE.rglob("*.*"), (ROOT / "tests").rglob("*.py"), ROOT.glob("*.*"))
}


def of_kind(kind: str) -> list[tuple[Path, Block]]:
    return [(page, block) for page in PAGES for block in blocks(page) if block.kind == kind]


def numbered(value: object) -> str:
    return named(value) if isinstance(value, Path) else ""


@pytest.mark.parametrize(("page", "block"), of_kind("toml"), ids=numbered)
def test_toml_is_a_configuration(page: Path, block: Block, tmp_path: Path) -> None:
    """An example of a configuration is read without complaint; a part of one is, once the rest is there."""
    written = tomllib.loads(block.text)
    if "project" in written:
        return
    assert set(written) <= set(SECTIONS), f"{named(page)} shows sections that do not exist"
    text = block.text
    if "identity" not in written:
        text = A_TENANT + text
    if "type" not in written.get("connections", {}).get("desk", {}):
        text = A_DESK + text
    file = tmp_path / "secure-export.toml"
    file.write_text(text, encoding="utf-8")
    settings = read_settings(file, connector_types(), {})
    assert settings.connections


@pytest.mark.parametrize(("page", "block"), of_kind("json"), ids=numbered)
def test_json_is_json(page: Path, block: Block) -> None:
    """An example in JSON is JSON, one value or one on each line."""
    try:
        json.loads(block.text)
    except ValueError:
        for line in block.text.splitlines():
            json.loads(line)


@pytest.mark.parametrize(("page", "block"), of_kind("python"), ids=numbered)
def test_python_can_be_compiled(page: Path, block: Block) -> None:
    """An example in Python is Python."""
    compile(block.text, named(page), "exec")


@every_page
def test_fences_are_closed_and_named(page: Path) -> None:
    """Every fenced block is closed and says what it holds."""
    fences = re.findall(r"^`{3,}.*$", text_of(page), re.MULTILINE)
    assert len(fences) % 2 == 0
    assert all(re.fullmatch(r"`{3,}\w.*", fence) for fence in fences[::2]), fences


def test_links_are_found() -> None:
    """The tests above look at something."""
    assert sum(len(links(page)) for page in PAGES) > 100
    assert len(of_kind("toml")) > 10
