-- Times are microseconds since 1970 in UTC. A lane's key is a digest of its connection and correlation key, an alert's
-- one of its id, a problem's one of the problem (secure_export.store.keys): texts of any length are looked for by them.

CREATE SEQUENCE fencing_tokens;
CREATE SEQUENCE deliverers AS integer CYCLE;
CREATE SEQUENCE notification_numbers CYCLE;

-- Who sent to which connection: one row for each token seen, so that notifications need not repeat it.
CREATE TABLE senders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection text NOT NULL,
    caller bytea NOT NULL
);
CREATE UNIQUE INDEX senders_by_caller ON senders (connection, sha256(caller));

-- Written once and never changed. packed: whether the body is kept as a zstd frame.
-- id: the milliseconds of received_at, then 20 bits that tell those of one millisecond apart. One partition a day.
CREATE TABLE notifications (
    id bigint NOT NULL PRIMARY KEY,
    received_at bigint NOT NULL,
    sender bigint NOT NULL,
    packed boolean NOT NULL,
    body bytea NOT NULL
) PARTITION BY RANGE (id);
ALTER TABLE notifications ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE TABLE notifications_other PARTITION OF notifications DEFAULT;

-- Which notification said what: the key begins with the event time, so that the index grows at its end.
CREATE TABLE notification_keys (
    key bytea NOT NULL PRIMARY KEY,
    notification bigint NOT NULL
);

-- What was not understood is kept here and not among the notifications, because it is kept for another time.
CREATE TABLE quarantine (
    notification bigint NOT NULL PRIMARY KEY,
    received_at bigint NOT NULL,
    sender bigint NOT NULL,
    packed boolean NOT NULL,
    body bytea NOT NULL,
    reason text NOT NULL,
    since bigint NOT NULL
);
ALTER TABLE quarantine ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX quarantine_by_age ON quarantine (since);

-- A lane has a row only while something is to be done for it: an idle one has none.
-- due_at: when it may be claimed; for a claimed lane the end of its lease; none for a parked one.
-- owner: which process claimed it (presence.py). saved: the last change that was written without giving it back.
-- woken: something came for it while it was claimed, so that it stays ready when it is given back.
CREATE TABLE lanes (
    key bytea NOT NULL PRIMARY KEY,
    id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    connection text NOT NULL,
    correlation_key text NOT NULL,
    state text NOT NULL CHECK (state IN ('ready', 'claimed', 'waiting', 'parked')),
    due_at bigint CHECK ((due_at IS NULL) = (state = 'parked')),
    token bigint NOT NULL DEFAULT 0,
    owner integer,
    saved bigint NOT NULL DEFAULT 0,
    look boolean NOT NULL DEFAULT false,
    woken boolean NOT NULL DEFAULT false,
    reason text NOT NULL DEFAULT ''
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX lanes_of_operators ON lanes USING hash (correlation_key) WHERE state IN ('waiting', 'parked');

-- What is not folded yet. alert: whose notification it is, where the correlation key does not say so.
CREATE TABLE pending (
    lane bytea NOT NULL,
    notification bigint NOT NULL,
    alert text,
    PRIMARY KEY (lane, notification)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- document: the whole work item as JSON; the other columns are what is looked for (secure_export.store.rows).
-- expires_at: close_at while time may end it. ended_at: when nothing more happened to it. unbound: bindings without CI.
CREATE TABLE work_items (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    lane bytea NOT NULL,
    generation integer NOT NULL,
    tool_key text COLLATE "C" NOT NULL UNIQUE,
    connection text NOT NULL,
    correlation_key text NOT NULL,
    state text NOT NULL,
    owed boolean NOT NULL,
    open_in_tool boolean NOT NULL,
    unbound integer NOT NULL,
    expires_at bigint,
    ended_at bigint,
    document bytea NOT NULL,
    UNIQUE (lane, generation)
);
CREATE INDEX work_items_by_connection ON work_items (connection, seq);
CREATE INDEX work_items_open ON work_items (seq) WHERE state = 'open';
CREATE INDEX work_items_owed ON work_items (seq) WHERE owed;
CREATE INDEX work_items_unbound ON work_items (seq) WHERE unbound > 0;
CREATE INDEX work_items_open_in_tool ON work_items (connection, tool_key) WHERE open_in_tool;
CREATE INDEX work_items_by_expiry ON work_items (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX work_items_by_end ON work_items (ended_at, seq) WHERE ended_at IS NOT NULL;

-- What open work items name and the CMDB did not have, in lower case.
-- woken_at: when the lane was last woken because the CMDB has something of that name.
CREATE TABLE missing_cis (
    connection text NOT NULL,
    name text COLLATE "C" NOT NULL,
    work_item bigint NOT NULL,
    woken_at bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (connection, name, work_item)
);
CREATE INDEX missing_cis_by_work_item ON missing_cis (work_item);

-- told_id: the alertId as Azure wrote it, where alert_id is another (test notifications).
-- problem: what it shares with other alerts; none where the alert is its own problem. searched: what a search looks at.
CREATE TABLE alerts (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key bytea NOT NULL,
    connection text NOT NULL,
    alert_id text NOT NULL,
    told_id text,
    problem text,
    problem_key bytea,
    fired_at bigint,
    ended_at bigint,
    work_item text COLLATE "C",
    seen_at bigint NOT NULL,
    reasons text NOT NULL,
    facts text NOT NULL,
    searched text NOT NULL,
    UNIQUE (key, connection)
);
CREATE INDEX alerts_by_connection ON alerts (connection, seq);
CREATE INDEX alerts_by_told_id ON alerts USING hash (told_id) WHERE told_id IS NOT NULL;
CREATE INDEX alerts_by_problem ON alerts (connection, problem_key, ended_at) WHERE problem_key IS NOT NULL;
CREATE INDEX alerts_by_work_item ON alerts (work_item, seq) WHERE work_item IS NOT NULL;
CREATE INDEX alerts_not_ended ON alerts (seq) WHERE ended_at IS NULL;
CREATE INDEX alerts_without_work_item ON alerts (seen_at) WHERE work_item IS NULL;

-- Which notification spoke of which alert. Partitions as those of notifications.
CREATE TABLE alert_notifications (
    notification bigint NOT NULL PRIMARY KEY,
    alert bigint NOT NULL
) PARTITION BY RANGE (notification);
CREATE INDEX alert_notifications_by_alert ON alert_notifications (alert);
CREATE TABLE alert_notifications_other PARTITION OF alert_notifications DEFAULT;

-- lane: its key. work_item: its seq.
CREATE TABLE steps (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane bytea NOT NULL,
    work_item bigint NOT NULL,
    kind text NOT NULL,
    token bigint NOT NULL,
    started_at bigint NOT NULL,
    finished_at bigint,
    outcome text,
    reason text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX steps_one_in_flight ON steps (lane) WHERE finished_at IS NULL;
CREATE INDEX steps_by_work_item ON steps (work_item, id);

CREATE TABLE cursors (
    name text PRIMARY KEY,
    value text NOT NULL
);

CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at bigint NOT NULL,
    by text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL
);

-- Makes the partitions of these days (since 1970) that are not there; what waits in the partition of other times moves.
-- Runs as the role that made it, so that the role that runs the service need not own tables.
CREATE FUNCTION make_partitions(first_day integer, last_day integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '2s' AS $body$
DECLARE
    made integer := 0;
    low bigint;
    high bigint;
    parent text;
    child text;
    id_column text;
BEGIN
    IF last_day - first_day > 400 THEN
        RAISE EXCEPTION 'at most 400 days of partitions are made at a time';
    END IF;
    PERFORM pg_advisory_xact_lock(1397310820, 2);
    FOR number IN first_day..last_day LOOP
        CONTINUE WHEN to_regclass(format('notifications_d%s', number)) IS NOT NULL;
        low := (number::bigint * 86400000) << 20;
        high := ((number + 1)::bigint * 86400000) << 20;
        FOR parent, id_column IN VALUES ('notifications', 'id'), ('alert_notifications', 'notification') LOOP
            child := format('%s_d%s', parent, number);
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING INDEXES INCLUDING STORAGE)', child, parent);
            EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', parent);
            EXECUTE format(
                'WITH moved AS (DELETE FROM %I WHERE %I >= %s AND %I < %s RETURNING *) INSERT INTO %I TABLE moved',
                parent || '_other', id_column, low, id_column, high, child);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, child, low, high);
        END LOOP;
        made := made + 1;
    END LOOP;
    RETURN made;
END
$body$;

-- Drops partitions of days that ended before a time and hold nothing that is still worked on, a few at a time;
-- how many of them held anything.
CREATE FUNCTION drop_partitions(before bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '1s' AS $body$
DECLARE
    dropped integer := 0;
    seen integer := 0;
    low bigint;
    high bigint;
    number integer;
    held boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(1397310820, 2);
    FOR number IN
        SELECT substring(child.relname FROM 16)::integer AS day
        FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
        WHERE inhparent = 'notifications'::regclass AND child.relname ~ '^notifications_d[0-9]+$'
        ORDER BY day
    LOOP
        EXIT WHEN (number + 1)::bigint * 86400000000 > before OR seen >= 10;
        low := (number::bigint * 86400000) << 20;
        high := ((number + 1)::bigint * 86400000) << 20;
        CONTINUE WHEN EXISTS (
            SELECT 1 FROM lanes
            JOIN work_items ON work_items.lane = lanes.key
            JOIN alerts ON alerts.work_item = work_items.id
            JOIN alert_notifications AS link ON link.alert = alerts.seq
            WHERE link.notification >= low AND link.notification < high);
        LOCK TABLE ONLY notifications, ONLY alert_notifications IN ACCESS EXCLUSIVE MODE;
        CONTINUE WHEN EXISTS (SELECT 1 FROM pending WHERE notification >= low AND notification < high);
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM notifications_d%s)', number) INTO held;
        EXECUTE format('DROP TABLE notifications_d%s, alert_notifications_d%s', number, number);
        dropped := dropped + held::integer;
        seen := seen + 1;
    END LOOP;
    RETURN dropped;
END
$body$;

-- What runs with its maker's rights finds no tables but the maker's (PostgreSQL docs, "Writing SECURITY DEFINER
-- Functions Safely"), and nobody may call it who was not told so.
DO $body$
BEGIN
    EXECUTE format(
        'ALTER FUNCTION make_partitions(integer, integer) SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION drop_partitions(bigint) SET search_path = %I, pg_temp', current_schema());
END
$body$;
REVOKE ALL ON FUNCTION make_partitions(integer, integer), drop_partitions(bigint) FROM PUBLIC;
