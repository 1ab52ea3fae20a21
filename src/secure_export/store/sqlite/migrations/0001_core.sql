-- Times are microseconds since 1970 in UTC. A lane's key is a digest of its connection and correlation key
-- (secure_export.store.sqlite.keys).

-- One line of numbers for notifications, lanes and fencing tokens: none is ever given twice, whatever is deleted.
CREATE TABLE counter (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    value INTEGER NOT NULL
) STRICT;
INSERT INTO counter (only_row, value) VALUES (1, 0);

-- Who sent to which connection: one row for each token seen, so that notifications need not repeat it.
CREATE TABLE senders (
    id INTEGER PRIMARY KEY,
    connection TEXT NOT NULL,
    caller BLOB NOT NULL,
    UNIQUE (connection, caller)
) STRICT;

-- Written once and never changed. packed: whether the body is kept as a zstd frame.
CREATE TABLE notifications (
    id INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    dedupe_key BLOB,
    packed INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
-- The key begins with the event time, so that this index grows at its end.
CREATE UNIQUE INDEX notifications_by_dedupe_key ON notifications (dedupe_key) WHERE dedupe_key IS NOT NULL;

CREATE TABLE quarantine (
    notification INTEGER PRIMARY KEY,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT;

-- A lane has a row only while something is to be done for it: an idle one has none.
-- due_at: when it may be claimed; for a claimed lane the end of its lease; none for a parked one.
-- woken: somebody asked for it while it was claimed, so that it stays ready when it is given back.
CREATE TABLE lanes (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    connection TEXT NOT NULL,
    correlation_key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ready', 'claimed', 'waiting', 'parked')),
    due_at INTEGER CHECK ((due_at IS NULL) = (state = 'parked')),
    token INTEGER NOT NULL DEFAULT 0,
    look INTEGER NOT NULL DEFAULT 0,
    woken INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX lanes_by_due ON lanes (connection, due_at, state) WHERE due_at IS NOT NULL;
CREATE INDEX lanes_of_operators ON lanes (state, correlation_key) WHERE state IN ('waiting', 'parked');

-- What is not folded yet. alert: whose notification it is, where the correlation key does not say so.
CREATE TABLE pending (
    lane INTEGER NOT NULL,
    notification INTEGER NOT NULL,
    alert TEXT,
    PRIMARY KEY (lane, notification)
) STRICT, WITHOUT ROWID;

-- document: the whole work item as JSON; the other columns are what is looked for (secure_export.store.sqlite.rows).
-- expires_at: close_at while time may end it. ended_at: when nothing more happened to it. unbound: bindings without CI.
CREATE TABLE work_items (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    lane BLOB NOT NULL,
    generation INTEGER NOT NULL,
    tool_key TEXT NOT NULL UNIQUE,
    connection TEXT NOT NULL,
    correlation_key TEXT NOT NULL,
    state TEXT NOT NULL,
    owed INTEGER NOT NULL,
    open_in_tool INTEGER NOT NULL,
    unbound INTEGER NOT NULL,
    expires_at INTEGER,
    ended_at INTEGER,
    document BLOB NOT NULL,
    UNIQUE (lane, generation)
) STRICT;
CREATE INDEX work_items_by_connection ON work_items (connection, seq);
CREATE INDEX work_items_open ON work_items (seq) WHERE state = 'open';
CREATE INDEX work_items_owed ON work_items (seq) WHERE owed = 1;
CREATE INDEX work_items_unbound ON work_items (seq) WHERE unbound > 0;
CREATE INDEX work_items_open_in_tool ON work_items (connection, tool_key) WHERE open_in_tool = 1;
CREATE INDEX work_items_by_expiry ON work_items (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX work_items_by_end ON work_items (ended_at) WHERE ended_at IS NOT NULL;

-- What open work items name and the CMDB did not have, in lower case.
-- woken_at: when the lane was last woken because the CMDB has something of that name.
CREATE TABLE missing_cis (
    connection TEXT NOT NULL,
    name TEXT NOT NULL,
    work_item INTEGER NOT NULL,
    woken_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (connection, name, work_item)
) STRICT, WITHOUT ROWID;
CREATE INDEX missing_cis_by_work_item ON missing_cis (work_item);

-- key: a digest of alert_id. told_id: the alertId as Azure wrote it, where alert_id is another (test notifications).
-- problem: what it shares with other alerts; none where the alert is its own problem.
CREATE TABLE alerts (
    seq INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    connection TEXT NOT NULL,
    alert_id TEXT NOT NULL,
    told_id TEXT,
    problem TEXT,
    fired_at INTEGER,
    ended_at INTEGER,
    work_item TEXT,
    seen_at INTEGER NOT NULL,
    reasons TEXT NOT NULL,
    facts TEXT NOT NULL,
    UNIQUE (key, connection)
) STRICT;
CREATE INDEX alerts_by_connection ON alerts (connection, seq);
CREATE INDEX alerts_by_told_id ON alerts (told_id, seq) WHERE told_id IS NOT NULL;
CREATE INDEX alerts_by_problem ON alerts (connection, problem, ended_at) WHERE problem IS NOT NULL;
CREATE INDEX alerts_by_work_item ON alerts (work_item, seq) WHERE work_item IS NOT NULL;
CREATE INDEX alerts_firing ON alerts (work_item) WHERE ended_at IS NULL AND fired_at IS NOT NULL;
CREATE INDEX alerts_not_ended ON alerts (seq) WHERE ended_at IS NULL;
CREATE INDEX alerts_without_work_item ON alerts (seen_at) WHERE work_item IS NULL;

-- Which notification spoke of which alert.
CREATE TABLE alert_notifications (
    notification INTEGER PRIMARY KEY,
    alert INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_notifications_by_alert ON alert_notifications (alert);

-- lane: its key. work_item: its seq.
CREATE TABLE steps (
    id INTEGER PRIMARY KEY,
    lane BLOB NOT NULL,
    work_item INTEGER NOT NULL,
    kind TEXT NOT NULL,
    token INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    outcome TEXT,
    reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX steps_one_in_flight ON steps (lane) WHERE finished_at IS NULL;
CREATE INDEX steps_by_work_item ON steps (work_item);

CREATE TABLE cursors (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL
) STRICT;
