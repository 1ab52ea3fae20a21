"""The rooms of the program: who may know whom, and which rooms are pure."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "secure_export"
# Each room may import itself, the rooms named here, and whatever those may import.
ABOVE: dict[str, tuple[str, ...]] = {
    "errors": (),
    "clock": (),
    "ids": (),
    "secrets": ("errors",),
    "telemetry": ("errors",),
    "alerts": ("errors",),
    "workitems": ("alerts",),
    "policy": ("workitems",),
    "identity": ("errors", "clock", "telemetry"),
    "cmdb": ("workitems",),
    "itsm": ("cmdb", "policy", "clock", "ids", "secrets"),
    "delivery": ("itsm", "cmdb", "policy", "clock", "ids", "telemetry"),
    "intake": ("policy", "identity", "delivery", "console"),
    "console": ("policy", "identity", "delivery", "itsm"),
    "store": ("intake", "delivery", "console", "itsm"),
    "server": ("intake",),
    "front": ("intake", "console", "telemetry"),
    "toml_lines": (),
    "azure": ("errors", "clock", "identity", "secrets", "alerts"),
    "settings": ("azure", "policy", "identity", "secrets"),
    "settings_file": ("settings", "itsm", "toml_lines"),
    "sandbox": (),
    "app": ("settings", "store", "intake", "delivery"),
    "azure_work": ("app", "azure", "intake", "telemetry"),
    "service": ("app", "azure_work", "server", "front", "console", "telemetry"),
    "cli": ("service", "settings_file", "sandbox"),
}
PURE = ("alerts", "workitems", "policy")
IMPURE_MODULES = {
    "aiohttp", "asyncio", "concurrent", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random",
    "secrets", "shutil", "socket", "sqlite3", "ssl", "structlog", "subprocess", "tempfile",
    "threading", "time", "urllib.request",
}  # fmt: skip
IMPURE_CALLS = {"now", "utcnow", "today", "open", "print", "input"}


def modules(room: str) -> Iterator[Path]:
    folder = SOURCE / room
    yield from sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def allowed(room: str) -> set[str]:
    found, waiting = {room}, [room]
    while waiting:
        for other in ABOVE[waiting.pop()]:
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def rooms_imported(path: Path) -> set[str]:
    parts = [name.split(".") for name in imported(path) if name.startswith("secure_export.")]
    return {part[1] for part in parts if part[1] != "__version__"}


def test_every_room_is_listed() -> None:
    """A new room says here whom it may know."""
    names = {p.stem for p in SOURCE.iterdir() if p.suffix == ".py" or (p.is_dir() and any(p.rglob("*.py")))}
    assert names - {"__init__", "py", "__main__"} == set(ABOVE)


@pytest.mark.parametrize("room", ABOVE)
def test_imports_point_one_way(room: str) -> None:
    """A room imports only rooms that lie below it."""
    may = allowed(room)
    for path in modules(room):
        assert rooms_imported(path) <= may, f"{path.relative_to(SOURCE)} imports {rooms_imported(path) - may}"


def test_no_room_lies_above_and_below_another() -> None:
    """The order of the rooms has no circles."""
    for room, others in ABOVE.items():
        assert all(room not in allowed(other) for other in others)


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_touch_nothing(room: str) -> None:
    """Pure rooms import no sockets, files, SQL, clock, chance or environment, and call none."""
    for path in modules(room):
        used = imported(path) & IMPURE_MODULES
        assert not used, f"{path.relative_to(SOURCE)} imports {used}"
        calls = {
            getattr(node.func, "attr", getattr(node.func, "id", ""))
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call)
        }
        assert not calls & IMPURE_CALLS, f"{path.relative_to(SOURCE)} calls {calls & IMPURE_CALLS}"


def test_only_the_store_speaks_sql() -> None:
    """Databases are imported by the store alone."""
    for path in SOURCE.rglob("*.py"):
        if "store" not in path.relative_to(SOURCE).parts:
            assert not {"sqlite3", "asyncpg"} & imported(path), path


def test_no_connector_knows_another() -> None:
    """A connector's folder imports nothing from the folder of another connector."""
    folders = [p.name for p in (SOURCE / "itsm").iterdir() if p.is_dir() and p.name != "__pycache__"]
    for folder in folders:
        for path in (SOURCE / "itsm" / folder).rglob("*.py"):
            others = {
                n for n in imported(path) for o in folders if o != folder and n.startswith(f"secure_export.itsm.{o}")
            }
            assert not others, f"{path} imports {others}"


def test_the_sandbox_shares_nothing_with_the_product() -> None:
    """A stand-in that shared code with the product would share its wrong beliefs."""
    for path in modules("sandbox"):
        assert rooms_imported(path) <= {"sandbox"}, path


def test_the_standard_library_is_told_apart() -> None:
    """The list of impure modules names modules that exist."""
    top = {name.split(".")[0] for name in IMPURE_MODULES} - {"aiohttp", "structlog"}
    assert top <= set(sys.stdlib_module_names)


def test_every_test_states_its_rule() -> None:
    """A test says in its docstring which rule it proves."""
    for path in (SOURCE.parents[1] / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                assert ast.get_docstring(node), f"{path.name}: {node.name} states no rule"
