"""Every SQL statement of the relayer; what they are for is said where `store` and `database` run them."""

from typing import Final

from vouch.relayer.job import ENDS, GAP, JobStatus, TxKind, TxStatus

_FIRST = """
CREATE TABLE identity (chain_id INTEGER NOT NULL, hub TEXT NOT NULL, genesis BLOB NOT NULL);
CREATE TABLE blocks (number INTEGER PRIMARY KEY, hash BLOB NOT NULL);
CREATE TABLE jobs (
  id BLOB PRIMARY KEY, terms BLOB NOT NULL, input BLOB NOT NULL, deliver_by INTEGER NOT NULL,
  status TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', own INTEGER NOT NULL DEFAULT 0,
  block INTEGER NOT NULL, block_hash BLOB NOT NULL, tx BLOB NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
  operator TEXT, output BLOB, seal BLOB, node TEXT, node_ns INTEGER,
  end_block INTEGER, end_tx BLOB, callback_failure TEXT
);
CREATE INDEX jobs_status ON jobs (status, deliver_by);
CREATE INDEX jobs_block ON jobs (block);
CREATE INDEX jobs_end ON jobs (end_block) WHERE end_block IS NOT NULL;
CREATE INDEX jobs_full ON jobs (block) WHERE input != x'' OR output IS NOT NULL;
CREATE TABLE steps (job BLOB NOT NULL, at INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL);
CREATE INDEX steps_job ON steps (job);
CREATE TABLE transactions (
  hash BLOB PRIMARY KEY, nonce INTEGER NOT NULL, kind TEXT NOT NULL, raw BLOB NOT NULL, status TEXT NOT NULL,
  block INTEGER, gas_used INTEGER
);
CREATE INDEX transactions_status ON transactions (status, nonce);
CREATE INDEX transactions_block ON transactions (block) WHERE block IS NOT NULL;
CREATE TABLE cargo (tx BLOB NOT NULL, job BLOB NOT NULL, PRIMARY KEY (tx, job)) WITHOUT ROWID;
CREATE INDEX cargo_job ON cargo (job)
"""
_GAP = """
ALTER TABLE jobs ADD COLUMN signature BLOB;
ALTER TABLE jobs ADD COLUMN delivered_block INTEGER;
ALTER TABLE jobs ADD COLUMN challenged_block INTEGER;
ALTER TABLE jobs ADD COLUMN challenger TEXT;
ALTER TABLE jobs ADD COLUMN challenge_by INTEGER;
ALTER TABLE jobs ADD COLUMN prove_by INTEGER;
CREATE INDEX jobs_delivered ON jobs (delivered_block) WHERE delivered_block IS NOT NULL;
CREATE INDEX jobs_challenged ON jobs (challenged_block) WHERE challenged_block IS NOT NULL;
CREATE TABLE cosignatures (
  claim BLOB NOT NULL, signer TEXT NOT NULL, job BLOB NOT NULL, signature BLOB, refusal TEXT,
  PRIMARY KEY (claim, signer)
) WITHOUT ROWID;
CREATE INDEX cosignatures_job ON cosignatures (job);
CREATE TABLE policies (trust BLOB PRIMARY KEY, threshold INTEGER NOT NULL, signers TEXT NOT NULL);
CREATE TABLE cosigners (url TEXT PRIMARY KEY, signer TEXT NOT NULL)
"""
# No older program knows what these transactions are.
_ENCLAVES = f"CREATE INDEX transactions_register ON transactions (status) WHERE kind = '{TxKind.REGISTER}'"
UPGRADES: Final = (_FIRST, _GAP, _ENCLAVES)
"""What makes version n + 1 of version n; a fresh database (version 0) goes through all of them."""
VERSION: Final = len(UPGRADES)
SET_VERSION: Final = f"PRAGMA user_version = {VERSION}"
FOREVER: Final = (1 << 63) - 1
"""The largest integer that SQLite keeps; terms may hold larger ones."""

_PENDING = f"('{TxStatus.SIGNED}', '{TxStatus.BROADCAST}', '{TxStatus.INCLUDED}')"
_UNPAID = f"('{JobStatus.REFUSED}', '{JobStatus.FAILED}', '{JobStatus.EXPIRED}')"
_ENDED = str(tuple(str(status) for status in sorted(ENDS)))
_IN_GAP = str(tuple(str(status) for status in sorted(GAP)))
_OUT = str(tuple(map(str, (JobStatus.SENDING, JobStatus.SENT))))
_OPEN = str(tuple(map(str, (JobStatus.SEEN, JobStatus.DISPATCHED, JobStatus.ANSWERED, *sorted(GAP)))))
_ANSWERS = str(tuple(str(kind) for kind in TxKind if kind.answers))
_SETTLES = f"('{TxKind.SETTLE}', '{TxKind.EXPIRE_DELIVERED}')"
_ALONE = str(tuple(str(kind) for kind in TxKind if kind.alone))

# The file
DURABILITY: Final = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
GET_VERSION: Final = "PRAGMA user_version"
BEGIN, COMMIT, ROLLBACK = "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"
GET_IDENTITY: Final = "SELECT chain_id, hub, genesis FROM identity"
SET_IDENTITY: Final = "INSERT INTO identity VALUES (?, ?, ?)"

# Blocks
RECENT_BLOCKS: Final = "SELECT number, hash FROM blocks ORDER BY number DESC LIMIT ?"
ADD_BLOCK: Final = "INSERT OR REPLACE INTO blocks VALUES (?, ?)"
FORGET_BLOCKS_BELOW: Final = "DELETE FROM blocks WHERE number < ?"
FORGET_BLOCKS_ABOVE: Final = "DELETE FROM blocks WHERE number > ?"

# Jobs
ADD_JOB: Final = """
INSERT INTO jobs (id, terms, input, deliver_by, status, block, block_hash, tx) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
GET_JOB: Final = "SELECT * FROM jobs WHERE id = ?"
GET_STATUS: Final = "SELECT status FROM jobs WHERE id = ?"
SET_STATUS: Final = "UPDATE jobs SET status = ?, reason = ? WHERE id = ?"
SET_OWN: Final = "UPDATE jobs SET own = ? WHERE id = ?"
ASKED_AGAIN: Final = "UPDATE jobs SET input = ?, block = ?, block_hash = ?, tx = ? WHERE id = ?"
SET_ANSWER: Final = """
UPDATE jobs SET operator = ?, output = ?, seal = ?, signature = ?, node = ?, node_ns = ? WHERE id = ?
"""
SET_SIGNATURE: Final = """
UPDATE jobs SET signature = ?, node = ?, node_ns = ? WHERE id = ? AND operator = ? AND output = ?
"""
CLEAR_ANSWER: Final = (
    "UPDATE jobs SET operator = NULL, output = NULL, seal = NULL, signature = NULL, node = NULL WHERE id = ?"
)
SET_SEAL: Final = "UPDATE jobs SET seal = ? WHERE id = ? AND operator = ? AND output = ?"
UNSEAL: Final = "UPDATE jobs SET seal = NULL WHERE id = ?"
SET_DELIVERED: Final = """
UPDATE jobs SET delivered_block = ?, challenge_by = NULL, prove_by = NULL, callback_failure = NULL
WHERE id = ?
"""
SET_CHALLENGED: Final = """
UPDATE jobs SET challenged_block = ?, challenger = ?, challenge_by = NULL, prove_by = NULL WHERE id = ?
"""
SET_DEADLINE: Final = "UPDATE jobs SET challenge_by = ?, prove_by = ? WHERE id = ?"
# A callback that failed is repeated at the end. Of guarded jobs, a proof may be under way.
SET_END: Final = """
UPDATE jobs SET end_block = ?, end_tx = ?, callback_failure = NULL WHERE id = ?
RETURNING delivered_block IS NOT NULL OR (output IS NOT NULL AND seal IS NULL) AS guarded
"""
CLEAR_END: Final = "UPDATE jobs SET end_block = NULL, end_tx = NULL, callback_failure = NULL WHERE id = ?"
CLEAR_CHALLENGE: Final = """
UPDATE jobs SET challenged_block = NULL, challenger = NULL, challenge_by = NULL, prove_by = NULL WHERE id = ?
"""
CLEAR_DELIVERY: Final = """
UPDATE jobs SET delivered_block = NULL, challenge_by = NULL, prove_by = NULL, callback_failure = NULL
WHERE id = ?
"""
SET_CALLBACK_FAILURE: Final = "UPDATE jobs SET callback_failure = ? WHERE id = ?"
ADD_ATTEMPT: Final = "UPDATE jobs SET attempts = attempts + 1 WHERE id = ?"
CHANGED_ABOVE: Final = """
SELECT id FROM jobs WHERE end_block > ?1
UNION SELECT id FROM jobs WHERE challenged_block > ?1
UNION SELECT id FROM jobs WHERE delivered_block > ?1
"""
ASKED_ABOVE: Final = "SELECT id FROM jobs WHERE block > ?"
OPEN_JOBS: Final = f"SELECT * FROM jobs WHERE status IN {_OPEN} ORDER BY block"
JOBS_IN_GAP: Final = f"SELECT * FROM jobs WHERE status IN {_IN_GAP} ORDER BY delivered_block"
# Ours by our signature; where the database was lost, by whose stake is behind it.
OWN_GAPS: Final = f"""
SELECT id, terms, seal IS NOT NULL AS sealed, challenge_by, prove_by FROM jobs
WHERE (signature IS NOT NULL OR operator = ?) AND (
  status IN {_IN_GAP} OR status IN {_OUT} AND EXISTS (
    SELECT 1 FROM cargo JOIN transactions t ON hash = tx
    WHERE job = jobs.id AND kind = '{TxKind.DELIVER}' AND t.status IN {_PENDING}
  )
)
"""
REFUNDABLE: Final = f"""
SELECT * FROM jobs WHERE status IN {_UNPAID} AND deliver_by < ? AND own AND end_tx IS NULL
"""
COUNTS: Final = "SELECT status, count(*) FROM jobs GROUP BY status"
ADD_STEP: Final = "INSERT INTO steps VALUES (?, ?, ?, ?)"
STEPS: Final = "SELECT at, status, reason FROM steps WHERE job = ? ORDER BY rowid"

# Finished jobs whose bytes can go: below the oldest remembered block no fork opens them again.
# The plus makes SQLite look through the full jobs, not through all jobs of a status.
FULL_JOBS: Final = f"""
SELECT id, status FROM jobs
WHERE (input != x'' OR output IS NOT NULL) AND +status IN {_ENDED}
  AND block < (SELECT min(number) FROM blocks)
  AND coalesce(end_block, 0) < (SELECT min(number) FROM blocks)
  AND NOT EXISTS (SELECT 1 FROM steps WHERE job = jobs.id AND at >= ?)
  AND NOT EXISTS (
    SELECT 1 FROM cargo JOIN transactions t ON hash = tx WHERE job = jobs.id
    AND (t.status IN {_PENDING} OR t.block >= (SELECT min(number) FROM blocks))
  )
ORDER BY block LIMIT ?
"""
EMPTY_JOB: Final = "UPDATE jobs SET input = x'', output = NULL, seal = NULL, signature = NULL WHERE id = ?"
EMPTY_TRANSACTIONS: Final = (
    "UPDATE transactions SET raw = x'' WHERE hash IN (SELECT tx FROM cargo WHERE job = ?)"
)

# Documents are large, and no request carries these.
EMPTY_REGISTRATIONS: Final = f"""
UPDATE transactions SET raw = x'' WHERE kind = '{TxKind.REGISTER}' AND raw != x'' AND status NOT IN {_PENDING}
  AND coalesce(block, 0) < (SELECT min(number) FROM blocks)
"""

# Who else signed or refused to sign an output, and the quorums that consumers may have been told of
ADD_COSIGNATURE: Final = "INSERT OR REPLACE INTO cosignatures VALUES (?, ?, ?, ?, ?)"
COSIGNATURES: Final = "SELECT signer, signature, refusal FROM cosignatures WHERE claim = ?"
FORGET_COSIGNATURES: Final = "DELETE FROM cosignatures WHERE job = ?"
ADD_POLICY: Final = "INSERT OR IGNORE INTO policies VALUES (?, ?, ?)"
GET_POLICY: Final = "SELECT threshold, signers FROM policies WHERE trust = ?"
SET_SIGNER: Final = "INSERT OR REPLACE INTO cosigners VALUES (?, ?)"
GET_SIGNER: Final = "SELECT signer FROM cosigners WHERE url = ?"

# Transactions
ADD_TRANSACTION: Final = "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, NULL, NULL)"
FORGET_TRANSACTION: Final = "DELETE FROM transactions WHERE hash = ?"
IS_OURS: Final = "SELECT 1 FROM transactions WHERE hash = ?"
TOOK: Final = "UPDATE transactions SET status = ? WHERE hash = ? AND status = ?"
INCLUDED: Final = f"UPDATE transactions SET status = ?, block = ? WHERE nonce = ? AND status IN {_PENDING}"
REPLACED: Final = f"""
UPDATE transactions SET status = '{TxStatus.REPLACED}', block = NULL WHERE nonce = ? AND status IN {_PENDING}
"""
CLOSED: Final = "UPDATE transactions SET status = ?, block = ?, gas_used = ? WHERE hash = ?"
UNMINED_ABOVE: Final = f"""
UPDATE transactions SET status = '{TxStatus.BROADCAST}', block = NULL WHERE block > ?
"""
PENDING: Final = f"SELECT * FROM transactions WHERE status IN {_PENDING} ORDER BY nonce, rowid"
_UNCONFIRMED = f"""
SELECT count(DISTINCT nonce) FROM transactions WHERE status IN ('{TxStatus.SIGNED}', '{TxStatus.BROADCAST}')
"""
UNCONFIRMED: Final = f"{_UNCONFIRMED} AND kind NOT IN {_ALONE}"
UNCONFIRMED_ALONE: Final = f"{_UNCONFIRMED} AND kind IN {_ALONE}"
TRANSACTIONS_OF: Final = """
SELECT t.* FROM transactions t JOIN cargo ON tx = hash WHERE job = ? ORDER BY nonce, t.rowid
"""

# Which transaction carries which job
ADD_CARGO: Final = "INSERT INTO cargo VALUES (?, ?)"
FORGET_CARGO: Final = "DELETE FROM cargo WHERE tx = ?"
CARGO: Final = "SELECT job FROM cargo WHERE tx = ? ORDER BY job"
_HELD = f"SELECT 1 FROM cargo JOIN transactions ON hash = tx WHERE job = ? AND status IN {_PENDING}"
IS_HELD: Final = _HELD
IS_REGISTERING: Final = (
    f"SELECT 1 FROM transactions WHERE kind = '{TxKind.REGISTER}' AND status IN {_PENDING}"
)
IS_BEING_ANSWERED: Final = f"{_HELD} AND kind IN {_ANSWERS}"
IS_BEING_SETTLED: Final = f"{_HELD} AND kind IN {_SETTLES}"
DELIVERIES_UNDER_WAY: Final = f"""
SELECT DISTINCT jobs.* FROM transactions t JOIN cargo ON cargo.tx = t.hash JOIN jobs ON cargo.job = jobs.id
WHERE kind = '{TxKind.DELIVER}' AND t.status IN {_PENDING} AND jobs.delivered_block IS NULL
"""
