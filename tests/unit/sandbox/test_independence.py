"""The sandbox knows nothing of the product, so that a wrong belief cannot agree with itself."""

import ast
from pathlib import Path

import pytest

import secure_export.sandbox

ROOM = Path(secure_export.sandbox.__file__).parent
STAND_INS = frozenset({"entra", "azure_monitor", "servicenow", "bmc_helix"})
NEUTRAL = frozenset(path.stem for path in ROOM.iterdir()) - STAND_INS


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
    return {one for one in found if one.startswith("secure_export")}


@pytest.mark.parametrize("path", sorted(ROOM.rglob("*.py")), ids=lambda path: path.relative_to(ROOM).as_posix())
def test_a_stand_in_imports_the_sandbox_only(path: Path) -> None:
    """Neither the product nor another stand-in; and what all share imports none of them."""
    own = path.relative_to(ROOM).parts[0].removesuffix(".py")
    allowed = NEUTRAL | ({own} & STAND_INS)
    rooms = [(one + ".").removeprefix("secure_export.sandbox.").partition(".")[0] for one in _imports(path)]
    assert [one for one in rooms if one not in allowed] == []
