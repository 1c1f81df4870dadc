/** The schema of the ledger: each entry is run once, in order; one that was released never changes. */
export const migrations: readonly string[] = [
  `
  -- moves with every change of revocations and signing keys
  CREATE TABLE generation (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    number   INTEGER NOT NULL
  ) STRICT;
  INSERT INTO generation VALUES (1, 0);

  CREATE TABLE revocations (
    kind         TEXT NOT NULL,
    value        TEXT NOT NULL,
    minted_up_to INTEGER,          -- null: whenever minted
    revoked_at   INTEGER NOT NULL,
    until        INTEGER,          -- null: for ever
    reason       TEXT,
    PRIMARY KEY (kind, value)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX revocations_by_age ON revocations (revoked_at);
  CREATE INDEX revocations_by_end ON revocations (until) WHERE until IS NOT NULL;

  CREATE TABLE uses (
    id    TEXT PRIMARY KEY,
    count INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- the newest lease of each (id, object, address); LeaseRow of ../lease-rules.ts
  CREATE TABLE leases (
    id       TEXT NOT NULL,
    object   TEXT NOT NULL,
    address  TEXT NOT NULL,
    started  INTEGER NOT NULL,
    holder   TEXT,                 -- instance "." random; null: nobody runs under it
    etag     TEXT,                 -- with size: of a transfer
    size     INTEGER,
    sent     INTEGER NOT NULL,
    coverage TEXT NOT NULL,        -- JSON
    done     INTEGER NOT NULL,
    PRIMARY KEY (id, object, address)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE issued (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    id        TEXT NOT NULL UNIQUE,
    kid       TEXT NOT NULL,
    subjects  TEXT NOT NULL,       -- JSON, like paths and methods
    paths     TEXT NOT NULL,
    methods   TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires   INTEGER NOT NULL,
    uses      INTEGER,
    issued_by TEXT NOT NULL
  ) STRICT;
  CREATE INDEX issued_by_expiry ON issued (expires);

  -- finds issued keys by subject and by path
  CREATE TABLE issued_names (
    field  TEXT NOT NULL,
    value  TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (field, value, number)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE activity (
    id           TEXT PRIMARY KEY,
    last_used    INTEGER NOT NULL,
    last_address TEXT NOT NULL,
    requests     INTEGER NOT NULL,
    bytes_out    INTEGER NOT NULL,
    bytes_in     INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE signing_keys (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    kid        TEXT NOT NULL UNIQUE,
    status     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    grace_ends INTEGER,
    ceiling    TEXT                -- JSON
  ) STRICT;
  `,
  `
  -- one row: the latest time that any process noted
  CREATE TABLE latest_time (
    number  INTEGER PRIMARY KEY CHECK (number = 1),
    seconds INTEGER NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE signing_keys ADD COLUMN kind TEXT NOT NULL DEFAULT 'native';
  `,
  `
  CREATE TABLE notes (
    id      TEXT PRIMARY KEY,
    message TEXT,
    pin     TEXT                   -- what is kept of it: ../../key/node-pin.ts
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE wrong_pins (
    id      TEXT NOT NULL,
    address TEXT NOT NULL,
    since   INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (id, address)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX wrong_pins_by_age ON wrong_pins (since);
  `,
  `
  -- of the change that made or last changed it: whoever keeps a copy learns what is new
  ALTER TABLE revocations ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX revocations_by_generation ON revocations (kind, generation);
  `,
  `
  -- what was taken of an allowance: AllowanceRow of ../allowance-rules.ts
  CREATE TABLE allowances (
    id    TEXT PRIMARY KEY,
    taken REAL NOT NULL,
    at    INTEGER NOT NULL,
    until INTEGER                  -- null: kept for ever
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX allowances_by_end ON allowances (until) WHERE until IS NOT NULL;
  `,
  `
  -- what is kept beside keys: Rule of ../ledger.ts, its own members as JSON
  CREATE TABLE rules (
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    value      TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
  ) STRICT, WITHOUT ROWID;
  -- what else block 0 states, as JSON; null: nothing
  ALTER TABLE issued ADD COLUMN claims TEXT;
  `,
  `
  -- when the right PIN came from there; null: never
  ALTER TABLE wrong_pins ADD COLUMN right_at INTEGER;
  `,
]
