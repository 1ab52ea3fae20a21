-- The embedded desk and its CMDB. Times are microseconds since 1970, UTC.

-- number: 'INC' and the id; ids are never used twice, also after incidents were forgotten.
-- key: WorkItem.key as 16 bytes.
CREATE TABLE desk_incidents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    connection TEXT NOT NULL,
    key BLOB NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('new', 'in-progress', 'on-hold', 'resolved', 'closed')),
    impact INTEGER NOT NULL,
    urgency INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    assignment_group TEXT NOT NULL,
    assignee TEXT NOT NULL,
    fields TEXT NOT NULL,
    resolution_code TEXT NOT NULL,
    resolution TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    resolved_at INTEGER,
    closed_at INTEGER,
    revision INTEGER NOT NULL,
    UNIQUE (key, connection)
) STRICT;

CREATE INDEX desk_incidents_open ON desk_incidents (id) WHERE state IN ('new', 'in-progress', 'on-hold');

-- The id is the change counter: every change of an incident writes at least one event.
CREATE TABLE desk_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident INTEGER NOT NULL REFERENCES desk_incidents (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    author TEXT NOT NULL,
    by_person INTEGER NOT NULL CHECK (by_person IN (0, 1)),
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    changes TEXT NOT NULL
) STRICT;

CREATE INDEX desk_events_of_incident ON desk_events (incident);

CREATE INDEX desk_events_by_people ON desk_events (id) WHERE by_person = 1;

-- position: in the order of binding; the first is the primary one.
CREATE TABLE desk_incident_cis (
    incident INTEGER NOT NULL REFERENCES desk_incidents (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    ci TEXT NOT NULL,
    name TEXT NOT NULL,
    rule TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (incident, position),
    UNIQUE (incident, ci)
) STRICT, WITHOUT ROWID;

CREATE INDEX desk_incident_cis_of_ci ON desk_incident_cis (ci, incident);

-- name_key: the name in lower case; resource_id: in normal form.
CREATE TABLE desk_cis (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    class_name TEXT NOT NULL,
    resource_id TEXT UNIQUE,
    attributes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX desk_cis_by_name ON desk_cis (name_key);

-- target: a resource id in normal form or a name in lower case, so that CIs can come in any order.
CREATE TABLE desk_ci_relations (
    ci INTEGER NOT NULL REFERENCES desk_cis (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    PRIMARY KEY (ci, kind, target)
) STRICT, WITHOUT ROWID;

CREATE INDEX desk_ci_relations_to ON desk_ci_relations (target);

CREATE TABLE desk_cmdb_version (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL
) STRICT;

INSERT INTO desk_cmdb_version (one, version) VALUES (1, 0);
