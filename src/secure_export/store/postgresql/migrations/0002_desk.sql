-- The embedded desk and its CMDB. Times are microseconds since 1970, UTC.

-- number: 'INC' and the id; ids are never used twice, also after incidents were forgotten.
-- key: WorkItem.key as 16 bytes.
CREATE TABLE desk_incidents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection text NOT NULL,
    key bytea NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    state text NOT NULL CHECK (state IN ('new', 'in-progress', 'on-hold', 'resolved', 'closed')),
    impact integer NOT NULL,
    urgency integer NOT NULL,
    priority integer NOT NULL,
    assignment_group text NOT NULL,
    assignee text NOT NULL,
    fields text NOT NULL,
    resolution_code text NOT NULL,
    resolution text NOT NULL,
    opened_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    resolved_at bigint,
    closed_at bigint,
    revision integer NOT NULL,
    UNIQUE (key, connection)
);

CREATE INDEX desk_incidents_open ON desk_incidents (id) WHERE state IN ('new', 'in-progress', 'on-hold');

-- The id is the change counter: every change of an incident writes at least one event.
CREATE TABLE desk_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident bigint NOT NULL REFERENCES desk_incidents (id) ON DELETE CASCADE,
    at bigint NOT NULL,
    author text NOT NULL,
    by_person boolean NOT NULL,
    kind text NOT NULL,
    text text NOT NULL,
    changes text NOT NULL
);

CREATE INDEX desk_events_of_incident ON desk_events (incident, id);

CREATE INDEX desk_events_by_people ON desk_events (id) WHERE by_person;

-- position: in the order of binding; the first is the primary one.
CREATE TABLE desk_incident_cis (
    incident bigint NOT NULL REFERENCES desk_incidents (id) ON DELETE CASCADE,
    position integer NOT NULL,
    ci text NOT NULL,
    name text NOT NULL,
    rule text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (incident, position),
    UNIQUE (incident, ci)
);

CREATE INDEX desk_incident_cis_of_ci ON desk_incident_cis (ci, incident);

-- name_key: the name in lower case; resource_id: in normal form. Hashes, because a text may be too long for a B-tree.
CREATE TABLE desk_cis (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    name_key text NOT NULL,
    class_name text NOT NULL,
    resource_id text,
    attributes text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    CONSTRAINT desk_cis_resource_id_unique EXCLUDE USING hash (resource_id WITH =)
);

CREATE INDEX desk_cis_by_name ON desk_cis USING hash (name_key);

-- target: a resource id in normal form or a name in lower case, so that CIs can come in any order.
-- key: a digest of kind and target.
CREATE TABLE desk_ci_relations (
    ci bigint NOT NULL REFERENCES desk_cis (id) ON DELETE CASCADE,
    key bytea NOT NULL,
    kind text NOT NULL,
    target text NOT NULL,
    PRIMARY KEY (ci, key)
);

CREATE INDEX desk_ci_relations_to ON desk_ci_relations USING hash (target);

CREATE TABLE desk_cmdb_version (
    one integer PRIMARY KEY CHECK (one = 1),
    version bigint NOT NULL
);

INSERT INTO desk_cmdb_version (one, version) VALUES (1, 0);
