"""Every SQL statement of the watcher; what they are for is said where `store` runs them."""

from typing import Final

VERSION: Final = 1
# Money as text: SQLite's integers end at 9.2 ether.
SCHEMA: Final = f"""
BEGIN IMMEDIATE;
CREATE TABLE identity (chain_id INTEGER NOT NULL, hub TEXT NOT NULL, genesis BLOB NOT NULL);
CREATE TABLE account (address TEXT NOT NULL);
CREATE TABLE resume (one INTEGER PRIMARY KEY CHECK (one = 1), block INTEGER NOT NULL);
CREATE TABLE statements (
  request BLOB NOT NULL, operator TEXT NOT NULL, output_hash BLOB NOT NULL, signature BLOB NOT NULL,
  source TEXT NOT NULL, PRIMARY KEY (request, operator, output_hash)
) WITHOUT ROWID;
CREATE TABLE sent (
  hash BLOB PRIMARY KEY, nonce INTEGER NOT NULL, kind TEXT NOT NULL, request BLOB NOT NULL,
  what BLOB NOT NULL, token TEXT NOT NULL,
  bond TEXT NOT NULL, raw BLOB NOT NULL, mined INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX sent_request ON sent (request);
CREATE TABLE lost (request BLOB PRIMARY KEY, model BLOB NOT NULL, token TEXT NOT NULL, bond TEXT NOT NULL);
PRAGMA user_version = {VERSION};
COMMIT;
"""
DURABILITY: Final = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
GET_VERSION: Final = "PRAGMA user_version"
GET_IDENTITY: Final = "SELECT chain_id, hub, genesis FROM identity"
SET_IDENTITY: Final = "INSERT INTO identity VALUES (?, ?, ?)"
GET_ACCOUNT: Final = "SELECT address FROM account"
SET_ACCOUNT: Final = "INSERT INTO account VALUES (?)"

GET_RESUME: Final = "SELECT block FROM resume"
SET_RESUME: Final = "INSERT OR REPLACE INTO resume VALUES (1, ?)"

ADD_STATEMENT: Final = "INSERT OR IGNORE INTO statements VALUES (?, ?, ?, ?, ?)"
STATEMENTS: Final = "SELECT * FROM statements WHERE request = ? AND operator = ? ORDER BY output_hash"
SIGNERS: Final = "SELECT DISTINCT operator FROM statements WHERE request = ?"
REQUESTS: Final = "SELECT request FROM statements UNION SELECT request FROM sent"
FORGET_STATEMENTS: Final = "DELETE FROM statements WHERE request = ?"

ADD_SENT: Final = "INSERT OR REPLACE INTO sent VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)"
SENT: Final = "SELECT * FROM sent ORDER BY nonce, rowid"
MINED: Final = "UPDATE sent SET mined = 1 WHERE nonce = ?"
FORGET_NONCE: Final = "DELETE FROM sent WHERE nonce = ?"
FORGET_SENT: Final = "DELETE FROM sent WHERE request = ? AND mined"

ADD_LOST: Final = "INSERT OR REPLACE INTO lost VALUES (?, ?, ?, ?)"
FORGET_LOST: Final = "DELETE FROM lost WHERE request = ?"
LOST: Final = "SELECT * FROM lost"
