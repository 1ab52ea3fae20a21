"""Reads the CIs of a file: CSV, JSON, or an Azure Resource Graph export as it comes."""

from collections.abc import Iterable
from dataclasses import dataclass

from secure_export.cmdb.drafts import CiDraft, Problem
from secure_export.cmdb.import_csv import rows_of_csv
from secure_export.cmdb.import_json import rows_of_json
from secure_export.cmdb.import_row import Row, RowRefused, draft_of

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Import:
    """What a file holds.

    Attributes:
        drafts: The CIs that can be put into a CMDB.
        problems: What could not be used, with its place in the file.
    """

    drafts: tuple[CiDraft, ...]
    problems: tuple[Problem, ...]


def read_import(data: bytes, name: str) -> Import:
    """Read the CIs of a file; good rows are given, and each bad one is named.

    Args:
        data: The file's content.
        name: The file's name, for messages; its ending does not matter.
    """
    text = _decoded(data)
    if text is None:
        return _unusable(name, "it is no text in UTF-8 or UTF-16; save it as CSV or JSON in UTF-8")
    if not text.strip():
        return _unusable(name, "it is empty")
    rows, problems = rows_of_json(text, name) if text.lstrip()[0] in "[{" else rows_of_csv(text, name)
    return _read(rows, problems)


def _read(rows: Iterable[Row], problems: Iterable[Problem]) -> Import:
    drafts: dict[tuple[str, ...], CiDraft] = {}
    bad = list(problems)
    for row in rows:
        try:
            draft = draft_of(row)
        except RowRefused as error:
            bad.append(Problem(row.where, str(error)))
            continue
        first = drafts.setdefault(_identity(draft), draft)
        if first is not draft:
            bad.append(Problem(row.where, f"{draft.name} is there already at {first.where}; that one is taken"))
    return Import(tuple(drafts.values()), tuple(sorted(bad, key=_place)))


def _identity(draft: CiDraft) -> tuple[str, ...]:
    return (draft.resource_id,) if draft.resource_id else (draft.class_name.lower(), draft.name.lower())


def _place(problem: Problem) -> tuple[bool, int]:
    """Where in the file a problem is; what concerns the whole file comes last."""
    number = problem.where.rpartition(" ")[2]
    is_numbered = problem.where.startswith(("line ", "object ")) and number.isdecimal()
    return (not is_numbered, int(number) if is_numbered else 0)


def _unusable(name: str, message: str) -> Import:
    return Import((), (Problem(name, message),))


def _decoded(data: bytes) -> str | None:
    try:
        text = data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
