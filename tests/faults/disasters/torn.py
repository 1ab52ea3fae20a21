"""Writes that a crash tears: garbage, or half of something, where a log ends."""

import random
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from tests.postgres import OwnProcess

_HEADER = 32
_FRAME_HEADER = 24
_SEGMENT = 16 * 1024 * 1024
_SEGMENT_NAME = re.compile(r"[0-9A-F]{24}")
_GARBAGE = random.Random(7).randbytes(200_000)  # noqa: S311 - garbage, no secret


@dataclass(frozen=True)
class Log:
    """A write-ahead log of SQLite (SQLite docs, "WAL File Format").

    Attributes:
        data: What is in the file.
        frame: The size of a frame.
        end: Where the last frame of the last commit ends.
        commits: Where each commit ends.
    """

    data: bytes
    frame: int
    end: int
    commits: tuple[int, ...]


def read_log(path: Path) -> Log:
    """Find the commits of a write-ahead log: frames with its salts, of which the last of each commit tells a size."""
    data = path.read_bytes()
    page_size, salts = struct.unpack(">I", data[8:12])[0], data[16:24]
    frame = _FRAME_HEADER + page_size
    commits: list[int] = []
    for start in range(_HEADER, len(data) - frame + 1, frame):
        if data[start + 8 : start + 16] != salts:
            break
        if struct.unpack(">I", data[start + 4 : start + 8])[0]:
            commits.append(start + frame)
    return Log(data, frame, commits[-1], tuple(commits))


def tear_sqlite(path: Path) -> None:
    """Write the beginning of a transaction, half a frame of it, and garbage after the last commit of a log."""
    log = read_log(path)
    start = log.end - log.frame
    begun = log.data[start : start + 4] + bytes(4) + log.data[start + 8 : log.end]
    path.write_bytes(log.data[: log.end] + begun + begun[: log.frame // 2] + _GARBAGE[:3000])


def tear(own: OwnProcess) -> None:
    """Write garbage where the log of a server that is gone ends."""
    timeline, end = end_of_log(own)
    files = (own.folder / "data" / "pg_wal").glob("*")
    if any(_SEGMENT_NAME.match(file.name) and int(file.name[:8], 16) > timeline for file in files):
        raise RuntimeError("a timeline has begun of which no checkpoint tells yet: where it ends is not known")
    segment = own.folder / "data" / "pg_wal" / segment_name(timeline, end)
    with segment.open("r+b") as file:
        file.seek(end % _SEGMENT)
        file.write(_GARBAGE[: _SEGMENT - end % _SEGMENT])


def end_of_log(own: OwnProcess) -> tuple[int, int]:
    """Find the timeline, and where the first record that is not whole begins, as PostgreSQL's own programs say."""
    control = own.ran("pg_controldata", str(own.folder / "data"))
    said = {name: value.strip() for name, _, value in (line.partition(":") for line in control.splitlines())}
    timeline, redo = int(said["Latest checkpoint's TimeLineID"]), said["Latest checkpoint's REDO location"]
    folder = own.folder / "data" / "pg_wal"
    high, low = (int(part, 16) for part in redo.split("/"))
    # Named, because pg_waldump would read the size of segments from any of them, and one made in advance is empty.
    first = segment_name(timeline, (high << 32) + low)
    last = max(file.name for file in folder.glob(f"{timeline:08X}" + "?" * 16))
    told = own.ran("pg_waldump", "-q", "-p", str(folder), "-s", redo, first, last, succeeds=False)
    if "error in WAL record at" not in told:
        raise RuntimeError(f"the end of the log is not found: {told}")
    places = re.findall(r"\b([0-9A-F]+)/([0-9A-F]+)\b", told)
    return timeline, max((int(high, 16) << 32) + int(low, 16) for high, low in places)


def segment_name(timeline: int, place: int) -> str:
    """Name the file of the log that a place is in."""
    return f"{timeline:08X}{place >> 32:08X}{(place & 0xFFFFFFFF) // _SEGMENT:08X}"
