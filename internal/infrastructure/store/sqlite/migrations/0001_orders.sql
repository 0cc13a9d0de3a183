-- One row is one order: its state (doc), its events (a JSON line each) and who is yet to be told
-- (tracks), beside the columns that lists and claims need. The forms of doc, events and tracks are
-- described in docs/storage.md.
CREATE TABLE orders (
    key         INTEGER PRIMARY KEY,
    id          BLOB    NOT NULL, -- 12 bytes; hex(id) is the order's id
    created_at  INTEGER NOT NULL, -- milliseconds since 1970, UTC, as all times
    state       INTEGER NOT NULL, -- three digits: status, payment status, fulfillment status
    due_at      INTEGER,          -- when a subscriber is to be told; NULL when nothing waits
    parked      INTEGER,          -- 1 when a subscriber's track is parked, else NULL
    placed_at   INTEGER NOT NULL,
    customer_id TEXT    NOT NULL,
    reference   TEXT,
    sequence    INTEGER NOT NULL,
    tracks      TEXT    NOT NULL,
    doc         TEXT    NOT NULL,
    events      TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX orders_id ON orders (id);
CREATE INDEX orders_state ON orders (state, created_at, id, placed_at);
CREATE INDEX orders_customer ON orders (customer_id, created_at, id);
CREATE INDEX orders_reference ON orders (reference, created_at, id) WHERE reference IS NOT NULL;
CREATE INDEX orders_placed ON orders (placed_at, created_at, id);
CREATE INDEX orders_due ON orders (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX orders_parked ON orders (id) WHERE parked IS NOT NULL;

-- A readiness check writes here, to see whether an order could be written.
CREATE TABLE probe (writes INTEGER NOT NULL, filler BLOB NOT NULL) STRICT;
INSERT INTO probe (writes, filler) VALUES (0, x'');
