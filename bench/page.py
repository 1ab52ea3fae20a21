"""Fills the tables of ``docs/reference/performance.md`` from results: ``python -m bench page [FILE …]``.

Without files the newest run of each part is taken. A table stands between two comments, such as
``<!-- bench: intake -->`` and ``<!-- bench: end -->``; what is between them is written anew, all else stays.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from bench.results import FOLDER, PARTS, Results, read, sizing

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "performance.md"
_PLACE = re.compile(r"<!-- bench: (\w+) -->\n.*?<!-- bench: end -->", re.DOTALL)


def fill_page(files: Sequence[Path]) -> list[str]:
    """Write the tables; gives the names of those that there are no results of, which stay as they are.

    Args:
        files: The results; none: all there are.
    """
    runs = read(files or list(FOLDER.glob("*.json")))
    texts = {part: text for part in PARTS if (text := _part(runs, part))}
    if found := sizing(runs):
        texts["sizing"] = found[0].markdown()
    page, missing = filled(PAGE.read_text(encoding="utf-8"), texts)
    PAGE.write_text(page, encoding="utf-8")
    return missing


def filled(page: str, texts: dict[str, str]) -> tuple[str, list[str]]:
    """Give a page with its tables filled, and the names of those that stay as they are."""
    missing = [name for name in _PLACE.findall(page) if name not in texts]

    def put(match: "re.Match[str]") -> str:
        name = match[1]
        return f"<!-- bench: {name} -->\n\n{texts[name]}\n\n<!-- bench: end -->" if name in texts else match[0]

    return _PLACE.sub(put, page), missing


def _part(runs: Sequence[Results], part: str) -> str:
    """Write the newest tables of a part, with when and where; of storms and pasts one for each kind."""
    newest = next((run for run in runs if run.grids(part)), None)
    if newest is None:
        return ""
    return "\n\n".join([newest.told(), *(grid.markdown() for grid in newest.grids(part))])
