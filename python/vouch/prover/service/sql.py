"""Every SQL statement of the prover service; what they are for is said where `store` runs them."""

from typing import Final

from vouch.prover.service.task import ProofState

_FIRST = """
CREATE TABLE tasks (
  id TEXT PRIMARY KEY, turn INTEGER NOT NULL, circuit_id BLOB NOT NULL, task TEXT NOT NULL, prove_by INTEGER,
  state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0,
  queued_at REAL NOT NULL, ended_at REAL, seal BLOB, cpu_seconds REAL NOT NULL DEFAULT 0,
  peak_bytes INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX tasks_state ON tasks (state, turn);
CREATE INDEX tasks_turn ON tasks (turn);
CREATE INDEX tasks_ended ON tasks (ended_at) WHERE ended_at IS NOT NULL;
CREATE TABLE measurements (
  number INTEGER PRIMARY KEY, circuit_id BLOB NOT NULL, cpu_seconds REAL NOT NULL, seconds REAL NOT NULL,
  peak_bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX measurements_circuit ON measurements (circuit_id, number)
"""
_SECOND = "ALTER TABLE tasks ADD COLUMN refused INTEGER NOT NULL DEFAULT 0"
UPGRADES: Final = (_FIRST, _SECOND)
"""What makes version n + 1 of version n; a fresh database (version 0) goes through all of them."""
VERSION: Final = len(UPGRADES)

# The file
DURABILITY: Final = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
GET_VERSION: Final = "PRAGMA user_version"
SET_VERSION: Final = f"PRAGMA user_version = {VERSION}"
BEGIN, COMMIT, ROLLBACK = "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"

# Tasks
_NEXT_TURN = "(SELECT coalesce(max(turn), 0) + 1 FROM tasks)"
GET: Final = "SELECT * FROM tasks WHERE id = ?"
ADD: Final = f"""
INSERT INTO tasks (id, turn, circuit_id, task, prove_by, state, queued_at)
VALUES (?, {_NEXT_TURN}, ?, ?, ?, '{ProofState.QUEUED}', ?)
"""
SET_PROVE_BY: Final = "UPDATE tasks SET prove_by = ? WHERE id = ?"
QUEUE_AGAIN: Final = f"""
UPDATE tasks SET state = '{ProofState.QUEUED}', turn = {_NEXT_TURN}, reason = '', attempts = 0, queued_at = ?,
  ended_at = NULL, seal = NULL, cpu_seconds = 0, peak_bytes = 0 WHERE id = ?
"""
REFUSE: Final = f"UPDATE tasks SET refused = refused + 1 WHERE id = ? AND state = '{ProofState.DONE}'"
FAIL_REFUSED: Final = f"""
UPDATE tasks SET state = '{ProofState.FAILED}', reason = ?, ended_at = ?, seal = NULL
WHERE id = ? AND state = '{ProofState.DONE}'
"""
FORGET_REFUSALS: Final = "UPDATE tasks SET refused = 0 WHERE refused > 0"
START: Final = f"""
UPDATE tasks SET state = '{ProofState.PROVING}', reason = '', attempts = attempts + 1
WHERE id = ? AND state = '{ProofState.QUEUED}'
"""
# The turn stays: what was interrupted comes before what came after it.
PUT_BACK: Final = f"""
UPDATE tasks SET state = '{ProofState.QUEUED}', reason = ?, attempts = attempts - ?
WHERE id = ? AND state = '{ProofState.PROVING}'
"""
FINISH: Final = f"""
UPDATE tasks SET state = '{ProofState.DONE}', reason = '', ended_at = ?, seal = ?, cpu_seconds = ?,
  peak_bytes = ? WHERE id = ? AND state = '{ProofState.PROVING}'
"""
FAIL: Final = f"""
UPDATE tasks SET state = '{ProofState.FAILED}', reason = ?, ended_at = ?
WHERE id = ? AND state IN ('{ProofState.QUEUED}', '{ProofState.PROVING}')
"""
CANCEL: Final = f"""
UPDATE tasks SET state = '{ProofState.CANCELLED}', reason = '', ended_at = ?
WHERE id = ? AND state IN ('{ProofState.QUEUED}', '{ProofState.PROVING}')
"""
PROVING: Final = f"SELECT id, attempts FROM tasks WHERE state = '{ProofState.PROVING}' ORDER BY turn"
COUNTS: Final = "SELECT state, count(*) FROM tasks GROUP BY state"


def _among(circuits: int) -> str:
    return f"state = '{ProofState.QUEUED}' AND circuit_id IN ({', '.join('?' * circuits)})"


# What can still be in time, and only just, goes first, by its deadline; everything else in its turn.
_RANK = "CASE WHEN prove_by >= ? AND prove_by < ? THEN prove_by ELSE 1 << 62 END"


def first(circuits: int) -> str:
    """The task whose turn it is. Values: circuit ids, now, soon."""
    return f"SELECT * FROM tasks WHERE {_among(circuits)} ORDER BY {_RANK}, turn LIMIT 1"


def ahead(circuits: int) -> str:
    """Queued tasks per circuit that come before a task. Values: circuit ids; now and soon, the task's id,
    now and soon again."""
    return f"""
SELECT circuit_id, count(*) FROM tasks WHERE {_among(circuits)}
  AND ({_RANK}, turn) < (SELECT {_RANK}, turn FROM tasks WHERE id = ?) GROUP BY circuit_id
"""


def queued(circuits: int) -> str:
    """All queued tasks per circuit. Values: circuit ids."""
    return f"SELECT circuit_id, count(*) FROM tasks WHERE {_among(circuits)} GROUP BY circuit_id"


def prune(circuits: int) -> str:
    """Drops what ended, or waits for a circuit that is not there. Values: a time, twice; circuit ids."""
    gone = f"circuit_id NOT IN ({', '.join('?' * circuits)})"
    waits = f"state = '{ProofState.QUEUED}' AND queued_at < ? AND {gone}"
    return f"DELETE FROM tasks WHERE ended_at < ? OR ({waits})"


# Measurements
ADD_MEASUREMENT: Final = "INSERT INTO measurements VALUES (NULL, ?, ?, ?, ?)"
MEASUREMENTS: Final = """
SELECT cpu_seconds, seconds, peak_bytes FROM measurements WHERE circuit_id = ? ORDER BY number DESC LIMIT ?
"""
FORGET_MEASUREMENTS: Final = """
DELETE FROM measurements WHERE circuit_id = ? AND number NOT IN
  (SELECT number FROM measurements WHERE circuit_id = ? ORDER BY number DESC LIMIT ?)
"""
