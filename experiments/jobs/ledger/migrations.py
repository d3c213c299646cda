"""The tables of the ledger, and what changes those of an earlier version into the next."""

from __future__ import annotations

# Of a config that cannot be read there is nothing. A query uses an index over one of these where it says the same.
ARGUMENTS = "CASE WHEN json_valid(config) THEN json_extract(config, '$.additional_args') END"
TASK = (
    "CASE WHEN json_valid(config) THEN json_array(ifnull(json_extract(config, '$.curriculum'), ''), "
    "json_extract(config, '$.trainer.command')) END"
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE plans (
            key TEXT PRIMARY KEY, family TEXT NOT NULL, repeat INTEGER NOT NULL, experiment TEXT NOT NULL,
            content TEXT NOT NULL, provenance TEXT NOT NULL, created_at REAL NOT NULL, UNIQUE (family, repeat)
        ) STRICT""",
        """CREATE TABLE jobs (
            id INTEGER PRIMARY KEY AUTOINCREMENT, run_name TEXT NOT NULL UNIQUE, plan_key TEXT NOT NULL,
            experiment TEXT NOT NULL, arm TEXT NOT NULL, seed INTEGER NOT NULL, attempt INTEGER NOT NULL,
            retry_of TEXT, repeat INTEGER NOT NULL, launcher TEXT NOT NULL, target TEXT NOT NULL, launcher_id TEXT,
            state TEXT NOT NULL, config TEXT NOT NULL, command TEXT NOT NULL, tracker TEXT NOT NULL, error TEXT,
            spec TEXT, claimed_at REAL, outcome TEXT, created_at REAL NOT NULL, UNIQUE (plan_key, arm, seed, attempt)
        ) STRICT""",
        "CREATE INDEX jobs_by_experiment ON jobs (experiment)",
        "CREATE INDEX jobs_by_launcher_id ON jobs (launcher_id)",
        "CREATE INDEX jobs_open ON jobs (launcher, id) WHERE state = 'submitted' AND outcome IS NULL",
        """CREATE TABLE events (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, kind TEXT NOT NULL, run_name TEXT, plan_key TEXT,
            data TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX events_by_run ON events (run_name)",
        "CREATE TABLE leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, expires_at REAL NOT NULL) STRICT",
    ),
    # Runs that are no seeds: several of one arm and seed in one plan. SQLite changes no constraint of a table, so the
    # table is made anew; every column of before keeps its place and its values.
    (
        """CREATE TABLE jobs_2 (
            id INTEGER PRIMARY KEY AUTOINCREMENT, run_name TEXT NOT NULL UNIQUE, plan_key TEXT NOT NULL,
            experiment TEXT NOT NULL, arm TEXT NOT NULL, seed INTEGER NOT NULL, attempt INTEGER NOT NULL,
            retry_of TEXT, repeat INTEGER NOT NULL, launcher TEXT NOT NULL, target TEXT NOT NULL, launcher_id TEXT,
            state TEXT NOT NULL, config TEXT NOT NULL, command TEXT NOT NULL, tracker TEXT NOT NULL, error TEXT,
            spec TEXT, claimed_at REAL, outcome TEXT, created_at REAL NOT NULL,
            replicate INTEGER NOT NULL DEFAULT 0 CHECK (replicate >= 0),
            role TEXT NOT NULL DEFAULT 'seed' CHECK (role IN ('seed', 'replicate', 'reproduction', 'fork')),
            parent TEXT, CHECK (role <> 'seed' OR replicate = 0), CHECK (role <> 'replicate' OR replicate > 0),
            UNIQUE (plan_key, arm, seed, replicate, attempt)
        ) STRICT""",
        "INSERT INTO jobs_2 SELECT *, 0, 'seed', NULL FROM jobs",
        "DROP TABLE jobs",
        "ALTER TABLE jobs_2 RENAME TO jobs",
        "CREATE INDEX jobs_by_experiment ON jobs (experiment)",
        "CREATE INDEX jobs_by_launcher_id ON jobs (launcher_id)",
        "CREATE INDEX jobs_open ON jobs (launcher, id) WHERE state = 'submitted' AND outcome IS NULL",
    ),
    # Jobs that evaluate a checkpoint. Again only the constraint differs.
    (
        """CREATE TABLE jobs_3 (
            id INTEGER PRIMARY KEY AUTOINCREMENT, run_name TEXT NOT NULL UNIQUE, plan_key TEXT NOT NULL,
            experiment TEXT NOT NULL, arm TEXT NOT NULL, seed INTEGER NOT NULL, attempt INTEGER NOT NULL,
            retry_of TEXT, repeat INTEGER NOT NULL, launcher TEXT NOT NULL, target TEXT NOT NULL, launcher_id TEXT,
            state TEXT NOT NULL, config TEXT NOT NULL, command TEXT NOT NULL, tracker TEXT NOT NULL, error TEXT,
            spec TEXT, claimed_at REAL, outcome TEXT, created_at REAL NOT NULL,
            replicate INTEGER NOT NULL DEFAULT 0 CHECK (replicate >= 0),
            role TEXT NOT NULL DEFAULT 'seed'
                CHECK (role IN ('seed', 'replicate', 'reproduction', 'fork', 'evaluation')),
            parent TEXT, CHECK (role <> 'seed' OR replicate = 0), CHECK (role <> 'replicate' OR replicate > 0),
            UNIQUE (plan_key, arm, seed, replicate, attempt)
        ) STRICT""",
        "INSERT INTO jobs_3 SELECT * FROM jobs",
        "DROP TABLE jobs",
        "ALTER TABLE jobs_3 RENAME TO jobs",
        "CREATE INDEX jobs_by_experiment ON jobs (experiment)",
        "CREATE INDEX jobs_by_launcher_id ON jobs (launcher_id)",
        "CREATE INDEX jobs_open ON jobs (launcher, id) WHERE state = 'submitted' AND outcome IS NULL",
    ),
    # What goes on by itself draws on a budget: see `budgets`. A draw is a job's reservation until it has ended.
    (
        """CREATE TABLE budgets (
            name TEXT PRIMARY KEY, jobs INTEGER, gpu_hours REAL, usd REAL, until REAL, granted_at REAL NOT NULL,
            granted_by TEXT NOT NULL, ended_at REAL, why TEXT NOT NULL DEFAULT ''
        ) STRICT""",
        """CREATE TABLE draws (
            run_name TEXT PRIMARY KEY, budget TEXT NOT NULL, gpu_hours REAL NOT NULL, usd REAL NOT NULL,
            is_settled INTEGER NOT NULL DEFAULT 0
        ) STRICT""",
        "CREATE INDEX draws_by_budget ON draws (budget)",
    ),
    # With a hundred thousand jobs and a million events nothing that is asked reads a table from end to end.
    (
        "CREATE INDEX events_by_plan ON events (plan_key) WHERE plan_key IS NOT NULL",
        "CREATE INDEX events_by_kind ON events (kind)",
        "CREATE INDEX jobs_unfinished ON jobs (id) WHERE state IN ('planned', 'submitting')",
        f"CREATE INDEX jobs_by_arguments ON jobs ({ARGUMENTS})",
        f"CREATE INDEX jobs_by_task ON jobs ({TASK}, seed)",
        # Steps of jobs that ended long ago: see `folding`. None where what stood there could not be read.
        "CREATE TABLE folded (run_name TEXT PRIMARY KEY, steps TEXT) STRICT",
    ),
    # What was launched and is still to be handed over: see `outbox`.
    ("CREATE TABLE outbox (run_name TEXT PRIMARY KEY, plan_key TEXT NOT NULL, experiment TEXT NOT NULL) STRICT",),
    # What a person allows a program or an agent: see `granted`.
    (
        """CREATE TABLE permits (
            name TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, may TEXT NOT NULL, recipes TEXT NOT NULL,
            granted_at REAL NOT NULL, granted_by TEXT NOT NULL
        ) STRICT""",
    ),
)
"""Statements from each version of the schema to the next; the number of entries is the version of today."""
