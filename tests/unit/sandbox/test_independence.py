"""The sandbox knows nothing of the product, so that a wrong belief cannot agree with itself."""

import ast
from pathlib import Path

import pytest

import secure_export.sandbox

ROOM = Path(secure_export.sandbox.__file__).parent
MODULES = [path for name in ("entra", "azure_monitor", "servicenow", "bmc_helix") for path in (ROOM / name).rglob("*.py")] + [ROOM / "serving.py"]


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
    return {one for one in found if one.startswith("secure_export")}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOM).as_posix())
def test_a_stand_in_imports_the_sandbox_only(path: Path) -> None:
    """Neither the product nor the other stand-in."""
    own = path.relative_to(ROOM).parts[0].removesuffix(".py")
    allowed = ("secure_export.sandbox.serving", f"secure_export.sandbox.{own}.")
    assert [one for one in _imports(path) if not one.startswith(allowed)] == []
