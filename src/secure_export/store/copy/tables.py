"""What is copied from one store to another, table by table, and what is not: pure.

Both engines keep the same things, but not all in the same way. Here each thing has one form, which is read from and
written to both: flags are 0 or 1, a lane is named by its key, and what PostgreSQL keeps beside it to find things by is
left out and made anew. A test compares this list with the tables and columns of both databases.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from secure_export.store.restored import RESTORED_AT

Row = tuple[Any, ...]

UNFINISHED: Final = "store-copy:unfinished"
FINISHED: Final = "store-copy:finished"
POSITION: Final = "store-copy:position:"
DIGEST: Final = "store-copy:digest:"

# Tables that belong to one database and mean nothing in another.
NOT_COPIED: Final = MappingProxyType(
    {
        "migrations": "each database says itself which migrations it has; both have the same before anything is copied",
        "allotments": "which running process may take how many steps at a time; each is given anew when it starts",
        "counter": "the numbers given out so far: the copy goes on behind the highest of them",
    }
)
# Columns that are made anew, and why.
NOT_COPIED_COLUMNS: Final = MappingProxyType(
    {
        ("lanes", "owner"): "which process of the source claimed it",
        ("lanes", "saved"): "what tells a doubtful change of that process from another",
        ("alerts", "problem_key"): "a digest of problem",
        ("alerts", "searched"): "what a search looks at, made of the facts",
        ("desk_ci_relations", "key"): "a digest of kind and target",
    }
)


@dataclass(frozen=True, slots=True)
class Reading:
    """How one engine gives a table's rows.

    Attributes:
        of: What is selected from, joins included.
        where: Which rows.
        order: By what rows are walked through; unique together.
        columns: Expressions for columns that are not simply there by their names.
    """

    of: str
    order: tuple[str, ...]
    where: str = "true"
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """One thing that is copied.

    Attributes:
        name: What it is called; in PostgreSQL also the table.
        columns: What a row has.
        sqlite: How SQLite gives it.
        postgresql: How PostgreSQL gives it.
        writes: The statements with which SQLite takes a row, whose columns are numbered parameters.
        flags: The columns that are booleans in PostgreSQL.
        identity: The column that PostgreSQL numbers by itself.
    """

    name: str
    columns: tuple[str, ...]
    sqlite: Reading
    postgresql: Reading
    writes: tuple[str, ...]
    flags: frozenset[str] = frozenset()
    identity: str | None = None


# A number in PostgreSQL begins with the milliseconds of receipt. The last 20 bits stay, so that what came from
# PostgreSQL gets the number back that it had there.
BY_TIME: Final = "(((n.received_at / 1000) << 20) | ({number} & 1048575))"


def _numbered(number: str) -> str:
    """Mark where a notification's number is given; ``query`` puts in how."""
    return f"<{number}>"


def _insert(table: str, columns: tuple[str, ...]) -> str:
    values = ", ".join(f"?{place}" for place in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"  # noqa: S608 - names of this module


def _plain(  # noqa: PLR0913 - what a table may have
    name: str,
    columns: str,
    *,
    order: str = "id",
    flags: str = "",
    identity: bool = True,
    where: str = "true",
    postgresql: Reading | None = None,
) -> Table:
    """Describe a table that is the same in both, and has a number unless it is ordered by something else."""
    names = tuple(columns.split())
    reading = Reading(name, tuple(order.split()), where)
    return Table(
        name,
        names,
        sqlite=reading,
        postgresql=postgresql or reading,
        writes=(_insert(name, names),),
        flags=frozenset(flags.split()),
        identity=order if identity else None,
    )


_NOTIFICATIONS = Table(
    "notifications",
    ("id", "received_at", "sender", "packed", "body"),
    sqlite=Reading(
        "notifications AS n",
        ("n.id",),
        "NOT EXISTS (SELECT 1 FROM quarantine WHERE notification = n.id)",
        {"id": _numbered("n.id")},
    ),
    postgresql=Reading("notifications", ("id",)),
    writes=("INSERT INTO notifications (id, received_at, sender, packed, body) VALUES (?1, ?2, ?3, ?4, ?5)",),
    flags=frozenset({"packed"}),
)
_QUARANTINE = Table(
    "quarantine",
    ("notification", "received_at", "sender", "packed", "body", "reason", "since"),
    sqlite=Reading(
        "quarantine AS q JOIN notifications AS n ON n.id = q.notification",
        ("q.notification",),
        columns={"notification": _numbered("n.id")},
    ),
    postgresql=Reading("quarantine", ("notification",)),
    writes=(
        "INSERT INTO notifications (id, received_at, sender, packed, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        "INSERT INTO quarantine (notification, reason, since) VALUES (?1, ?6, ?7)",
    ),
    flags=frozenset({"packed"}),
)
# PostgreSQL may forget a notification before its key; SQLite has both in one row. Such keys tell nothing any more.
_KEYS = Table(
    "notification_keys",
    ("key", "notification"),
    sqlite=Reading(
        "notifications AS n",
        ("n.id",),
        "n.dedupe_key IS NOT NULL",
        {"key": "n.dedupe_key", "notification": _numbered("n.id")},
    ),
    postgresql=Reading(
        "notification_keys AS k",
        ("k.key",),
        "(EXISTS (SELECT 1 FROM notifications WHERE id = k.notification)"
        " OR EXISTS (SELECT 1 FROM quarantine WHERE notification = k.notification))",
    ),
    writes=("UPDATE notifications SET dedupe_key = ?1 WHERE id = ?2",),
)
_PENDING = Table(
    "pending",
    ("lane", "notification", "alert"),
    sqlite=Reading(
        "pending AS p JOIN lanes AS l ON l.id = p.lane JOIN notifications AS n ON n.id = p.notification",
        ("p.lane", "p.notification"),
        columns={"lane": "l.key", "notification": _numbered("p.notification"), "alert": "p.alert"},
    ),
    postgresql=Reading("pending", ("lane", "notification")),
    writes=("INSERT INTO pending (lane, notification, alert) SELECT id, ?2, ?3 FROM lanes WHERE key = ?1",),
)
_LINKS = Table(
    "alert_notifications",
    ("notification", "alert"),
    sqlite=Reading(
        "alert_notifications AS a JOIN notifications AS n ON n.id = a.notification",
        ("a.notification",),
        columns={"notification": _numbered("a.notification"), "alert": "a.alert"},
    ),
    postgresql=Reading("alert_notifications", ("notification",)),
    writes=("INSERT INTO alert_notifications (notification, alert) VALUES (?1, ?2)",),
)
_VERSION = Table(
    "desk_cmdb_version",
    ("one", "version"),
    sqlite=Reading("desk_cmdb_version", ("one",)),
    postgresql=Reading("desk_cmdb_version", ("one",)),
    writes=("INSERT OR REPLACE INTO desk_cmdb_version (one, version) VALUES (?1, ?2)",),
)

# In the order in which they are copied: what others name comes first.
TABLES: Final = (
    _plain("senders", "id connection caller"),
    _NOTIFICATIONS,
    _QUARANTINE,
    _KEYS,
    _plain("lanes", "id key connection correlation_key state due_at token look woken reason", flags="look woken"),
    _PENDING,
    _plain(
        "work_items",
        "seq id lane generation tool_key connection correlation_key state owed open_in_tool unbound expires_at "
        "ended_at number act act_told document",
        order="seq",
        flags="owed open_in_tool",
    ),
    _plain("missing_cis", "connection name work_item woken_at", order="connection name work_item", identity=False),
    _plain(
        "alerts",
        "seq key connection alert_id told_id problem fired_at ended_at work_item seen_at reasons facts",
        order="seq",
    ),
    _LINKS,
    _plain("steps", "id lane work_item kind token started_at finished_at outcome reason"),
    # Names that begin with "store" are about this one database, but that what it knows is old goes along.
    _plain(
        "cursors",
        "name value",
        order="name",
        identity=False,
        where=f"(name NOT LIKE 'store%' OR name = '{RESTORED_AT}')",
    ),
    _plain("audit_log", "id at by action subject"),
    _plain(
        "desk_incidents",
        "id connection key title description state impact urgency priority assignment_group assignee fields "
        "resolution_code resolution opened_at updated_at resolved_at closed_at revision",
    ),
    _plain("desk_events", "id incident at author by_person kind text changes", flags="by_person"),
    _plain("desk_incident_cis", "incident position ci name rule reason", order="incident position", identity=False),
    _plain("desk_cis", "id name name_key class_name resource_id attributes created_at updated_at"),
    _plain(
        "desk_ci_relations",
        "ci kind target",
        order="ci kind target",
        identity=False,
        postgresql=Reading("desk_ci_relations", ("ci", "key")),
    ),
    _VERSION,
)


def query(table: Table, reading: Reading, *, by_time: bool, marks: tuple[str, ...]) -> str:
    """Give the statement that walks through a table: first where it is, then the row.

    Args:
        table: The table.
        reading: How the engine gives it.
        by_time: Whether notifications are numbered as PostgreSQL does it, whatever their numbers are here.
        marks: The parameters that say behind what to begin, one for each part of the order; none for the beginning.
    """
    columns = [_column(reading, name, by_time=by_time) for name in table.columns]
    order = ", ".join(reading.order)
    behind = f" AND ({order}) > ({', '.join(marks)})" if marks else ""
    return f"SELECT {order}, {', '.join(columns)} FROM {reading.of} WHERE {reading.where}{behind} ORDER BY {order}"  # noqa: S608 - names of this module


def _column(reading: Reading, name: str, *, by_time: bool) -> str:
    expression = reading.columns.get(name, name)
    if not expression.startswith("<"):
        return expression
    number = expression.strip("<>")
    return BY_TIME.format(number=number) if by_time else number
