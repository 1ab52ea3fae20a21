-- A ready lane may be claimed whatever its due_at says, because the clock may have been set back since.
CREATE INDEX lanes_by_state ON lanes (connection, state, due_at) WHERE due_at IS NOT NULL;

-- Parked lanes, and no others, are due at no time.
CREATE INDEX lanes_parked ON lanes (id) WHERE due_at IS NULL;

-- Of a problem that very many alerts tell of only the latest are read, and the others are counted.
CREATE INDEX alerts_firing_of_problem ON alerts (connection, problem_key, fired_at DESC NULLS LAST, work_item)
    WHERE problem_key IS NOT NULL AND ended_at IS NULL;
CREATE INDEX alerts_firing ON alerts (work_item, problem_key) WHERE ended_at IS NULL AND fired_at IS NOT NULL;
