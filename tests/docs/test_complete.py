"""Whatever a person can set, call, see or be refused with is written down, and nothing that is not there."""

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.docs.pages import DOCS, ROOT, prose, text_of

from secure_export.alerts.alert import Kind
from secure_export.alerts.decode import decode
from secure_export.alerts.summary import facts
from secure_export.cmdb.rules import Rule
from secure_export.console.app import console_app
from secure_export.console.operations import API
from secure_export.identity.claim_checks import CHECKS
from secure_export.identity.refusals import Why
from secure_export.identity.token_text import FORBIDDEN_HEADER_MEMBERS
from secure_export.intake.answers import NotTaken
from secure_export.policy import template
from secure_export.policy.settings import RouteSettings
from secure_export.workitems.priority import priority

PACKAGE = ROOT / "src" / "secure_export"
REFUSALS = DOCS / "how-to" / "see-why-an-alert-was-refused.md"
HTTP = DOCS / "reference" / "http-api.md"
TEMPLATES = DOCS / "reference" / "templates.md"
NOT_UNDERSTOOD = {"custom-json-payload.json"}
SAMPLES = sorted(p for p in (ROOT / "tests" / "samples").rglob("*.json") if p.name not in NOT_UNDERSTOOD)


def generated() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


generate = generated()


@pytest.mark.parametrize("name", generate.PAGES)
def test_generated_pages_are_up_to_date(name: str) -> None:
    """What is written from the program says what the program says now; if not: ``make docs``."""
    assert (DOCS / "reference" / name).read_text(encoding="utf-8") == generate.PAGES[name]()


def test_generated_pages_leave_nothing_unsaid() -> None:
    """Every setting, command, argument and metric has words that explain it."""
    for name in generate.PAGES:
        for line in text_of(DOCS / "reference" / name).splitlines():
            if line.startswith("| `"):
                assert not re.search(r"\| *\|$", line), f"{name}: {line}"


def codes() -> Iterator[str]:
    """Every code with which something is refused, as the code writes it."""
    yield from (why.value for why in Why)
    literal = re.compile(
        r"""(?:\brefused|turn_away|\b_unknown|\bRefusal|_refused)\(\s*[^()"]*?"([a-z][a-z-]+)"|\bcode = "([a-z-]+)\"""",
        re.DOTALL,
    )
    for room in ("intake", "console", "server"):
        for path in (PACKAGE / room).rglob("*.py"):
            yield from (one or other for one, other in literal.findall(path.read_text(encoding="utf-8")))
    yield from re.findall(r'refused\("([a-z-]+)"\)', (PACKAGE / "front.py").read_text(encoding="utf-8"))


def kinds_of(base: type[NotTaken]) -> Iterator[type[NotTaken]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds_of(kind)


@pytest.mark.parametrize("code", sorted(set(codes()) | {str(kind.code) for kind in kinds_of(NotTaken)}))
def test_every_refusal_is_explained(code: str) -> None:
    """Whoever finds a code in log or counter finds its cause and how to mend it."""
    rows = [line for line in text_of(REFUSALS).splitlines() if line.startswith(f"| `{code}` |")]
    assert rows, f"{code} is not in {REFUSALS.name}"
    assert all(len(cell.strip()) > 6 for row in rows for cell in row.strip("|").split("|")[-2:])


def test_no_refusal_is_made_up() -> None:
    """The page explains no code that the program does not know."""
    explained = set(
        re.findall(r"^\| `([a-z]+(?:-[a-z]+)+|denied|expired|overloaded|proxied)` \|", text_of(REFUSALS), re.MULTILINE)
    )
    assert explained <= set(codes()) | {str(kind.code) for kind in kinds_of(NotTaken)}


def routes() -> list[tuple[str, str]]:
    nothing: Any = None
    app: Any = console_app(
        records=nothing, actions=nothing, desk=nothing, gate=nothing, replay=nothing, local_access=False
    )
    found = []
    for route in app.routes:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        found += [(method, path) for method in getattr(route, "methods", None) or {"GET"} if method != "HEAD"]
    return sorted(found)


@pytest.mark.parametrize(("method", "path"), [route for route in routes() if route[1].startswith(API)])
def test_every_address_of_the_api_is_written_down(method: str, path: str) -> None:
    """The JSON API has no address that the page leaves out."""
    assert f"`{method} {path}`" in text_of(HTTP)


@pytest.mark.parametrize("path", [path for method, path in routes() if not path.startswith(API)])
def test_every_page_of_the_console_is_written_down(path: str) -> None:
    """The console has no page that the page about HTTP leaves out."""
    shown = path if f"`{path}`" in text_of(HTTP) else f"/{path.rpartition('/')[2]}"
    assert f"`{shown}`" in text_of(HTTP), path


@pytest.mark.parametrize("path", ["/v1/connections/{connection}/alerts", "/healthz", "/readyz", "/metrics"])
def test_the_other_doors_are_written_down(path: str) -> None:
    """Webhook, health and metrics are on the same page."""
    assert path in text_of(HTTP)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_fact_is_written_down(path: Path) -> None:
    """A fact that templates can use is named for its kind, or for all kinds."""
    alert = decode(path.read_bytes())
    general, _, table = text_of(TEMPLATES).partition("## Facts")[2].partition("| kind |")
    rows = fact_rows(table)
    known = set(re.findall(r"`([a-z_]+)`", general)) | rows[alert.kind.value]
    for name in facts(alert):
        prefixes = {f"{name.partition('_')[0]}_…"}
        assert name in known or prefixes & (known | {"custom_…"}), f"{alert.kind.value}: {name}"


def fact_rows(table: str) -> dict[str, set[str]]:
    rows: dict[str, set[str]] = {}
    for line in table.splitlines():
        cells = line.split("|")
        if len(cells) > 3:
            for kind in re.findall(r"`([a-z0-9-]+)`", cells[1]):
                rows[kind] = set(re.findall(r"`([a-z_…]+)`", cells[2]))
                if "those" in cells[2]:
                    rows[kind] |= rows["administrative"]
                if "the same" in cells[2]:
                    rows[kind] |= rows["metric"]
    return rows


@pytest.mark.parametrize("kind", [kind.value for kind in Kind])
def test_every_kind_is_described(kind: str) -> None:
    """Every kind of alert is in the table of kinds, and in that of facts."""
    assert f"| `{kind}` |" in text_of(DOCS / "explanations" / "alerts.md")
    assert f"`{kind}`" in text_of(TEMPLATES)


def test_every_filter_is_named() -> None:
    """What templates may do is told in full."""
    row = next(line for line in text_of(TEMPLATES).splitlines() if line.startswith("| filters |"))
    assert re.findall(r"`(\w+)`", row) == sorted(template._FILTERS)


@pytest.mark.parametrize("setting", RouteSettings.model_fields)
def test_every_setting_of_a_route_is_shown_at_work(setting: str) -> None:
    """The how-to about routes leaves none out."""
    assert re.search(rf"`?\b{setting}\b", text_of(DOCS / "how-to" / "route-and-shape-work-items.md"))


@pytest.mark.parametrize("rule", [rule.value for rule in Rule])
def test_every_rule_of_binding_is_explained(rule: str) -> None:
    """Whoever reads a binding's rule finds it explained."""
    assert f"`{rule}`" in text_of(DOCS / "explanations" / "binding.md")


def test_the_check_list_of_the_gate_is_whole() -> None:
    """Every claim that is checked, and every forbidden header, is in the table."""
    page = text_of(DOCS / "explanations" / "identity.md")
    for check in CHECKS:
        for claim in re.split(r"[, /]+", check.claim):
            assert f"`{claim}`" in page, claim
    for member in FORBIDDEN_HEADER_MEMBERS:
        assert f"`{member}`" in page, member


def test_the_matrix_is_right() -> None:
    """The table of priorities is the one that is used."""
    page = text_of(DOCS / "how-to" / "route-and-shape-work-items.md")
    for impact in (1, 2, 3):
        row = next(line for line in page.splitlines() if line.startswith(f"| **impact {impact}** |"))
        assert [int(cell.split()[0]) for cell in row.split("|")[2:5]] == [priority(impact, u) for u in (1, 2, 3)]


def test_every_event_of_the_log_is_listed() -> None:
    """Whoever finds a warning or an error in the log finds it in the list of events."""
    page = text_of(DOCS / "how-to" / "run-as-a-service.md")
    call = re.compile(
        r"\blog\.(?:debug|info|warning|error|exception)\(\s*\"([a-z0-9: ]+)\""
        r"|\.(?:failed|waits|warns|_?notes)\(\s*\"([a-z ]+)\""
    )
    for path in PACKAGE.rglob("*.py"):
        for one, other in call.findall(path.read_text(encoding="utf-8")):
            assert f"`{one or other}`" in page, f"{one or other} ({path.name})"


def test_every_dependency_has_its_reason() -> None:
    """A new dependency brings along why it is there."""
    names = re.findall(r'^    "([a-z-]+)[>=]', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    page = prose(DOCS / "decisions" / "0002-dependencies.md")
    assert len(names) > 20
    for name in names:
        assert re.search(rf"\b{name}\b", page), name


def test_the_readme_lists_what_can_be_made() -> None:
    """The commands of the README are those of the Makefile, and the first two are demo and test."""
    made = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    page = text_of(ROOT / "README.md")
    told = re.findall(r"(?:^|`)make ([a-z]+)", page, re.MULTILINE)
    assert set(told) == made
    assert told[:2] == ["demo", "test"]


def test_numbers_of_performance_have_their_place() -> None:
    """The block that measurements are written into is there, once."""
    page = text_of(ROOT / "README.md")
    assert page.count("<!-- bench:begin -->") == page.count("<!-- bench:end -->") == 1


def test_decisions_are_numbered_and_dated_by_their_order() -> None:
    """Each decision has a number of its own, says its context, what was decided, and what follows."""
    pages = sorted((DOCS / "decisions").glob("*.md"))
    assert len({page.name[:4] for page in pages}) == len(pages)
    for page in pages:
        assert text_of(page).startswith(f"# {page.name[:4]}: ")
        assert [h for h in ("## Context", "## Decision", "## Consequences") if h not in text_of(page)] == [], page.name
