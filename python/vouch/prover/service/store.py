"""The prover service's memory: tasks with their seals, and what proofs took. Its SQL is in `sql`.

A task is committed before its submission is answered, and its seal before its state is, so the process may be
killed at any point.
"""

import fcntl
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from vouch.prover.service import sql
from vouch.prover.service.errors import DatabaseInUse, ForeignStore, StoreUnavailable
from vouch.prover.service.estimate import KEPT, Measurement
from vouch.prover.service.task import ProofState, ProofStatus, ProofTask
from vouch.prover.service.wire import task_json, task_of

BUSY_SECONDS = 0.2
"""For another process that reads the file; nothing else is answered meanwhile."""
GAVE_UP = "gave up after {} attempts, each of which ended with its process or with the service"
REFUSED = (
    "gave up after {} proofs whose seals were refused, as was said: see whether the circuit's folder is the "
    "one that was published, and start the prover again, which tries once more"
)


@dataclass(frozen=True, slots=True)
class Job:
    """A stored task: how often its proof was begun, when it was queued and when it ended (unix seconds), and
    how many of its seals were refused since the service was started."""

    task: ProofTask
    status: ProofStatus
    attempts: int
    queued_at: float
    ended_at: float | None
    refused: int


@dataclass(frozen=True, slots=True)
class Soon:
    """Deadlines in [now, end), unix seconds, are near: such tasks go first."""

    now: int
    end: int


class Store:
    """One file in WAL mode with synchronous=NORMAL, of one process at a time.

    A killed process loses nothing; after a power cut the last tasks may have to be submitted again. Every
    method is one transaction and raises StoreUnavailable whenever SQLite fails (locked, full, damaged).
    """

    def __init__(self, path: Path) -> None:
        """Raises DatabaseInUse, ForeignStore (a newer version wrote it), StoreUnavailable."""
        self.path = path
        try:
            self._lock = path.with_name(path.name + ".lock").open("w")
        except OSError as error:
            raise StoreUnavailable(path, str(error)) from error
        try:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DatabaseInUse(path) from None
            with self._trouble():
                self._db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
                self._db.row_factory = sqlite3.Row
        except BaseException:
            self._lock.close()
            raise
        try:
            with self._trouble():
                self._db.executescript(sql.DURABILITY)
                self._upgrade()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()
        self._lock.close()

    def _upgrade(self) -> None:
        (version,) = self._run(sql.GET_VERSION).fetchone()
        if version > sql.VERSION:
            raise ForeignStore(self.path, version, sql.VERSION)
        with self._transaction():
            for upgrade in sql.UPGRADES[version:]:
                for statement in upgrade.split(";"):
                    self._run(statement)
            self._run(sql.SET_VERSION)

    # --- what happens to a task ---

    def submit(self, task: ProofTask, *, attempts: int, again: bool = False) -> Job:
        """Queues a new task, or once more one that was cancelled or has failed; the newest `prove_by` counts.

        again: its seal was refused, so one that is done is queued once more too; after `attempts` such seals
        it has failed, and stays so until `resume`.
        """
        proof = task.id
        with self._transaction():
            job = self._get(proof)
            if job is None:
                text = json.dumps(task_json(task), separators=(",", ":"))
                self._run(sql.ADD, proof, task.circuit_id, text, task.prove_by, time.time())
            else:
                self._run(sql.SET_PROVE_BY, task.prove_by, proof)
                self._again(job, attempts, refused=again and job.status.state is ProofState.DONE)
            made = self._get(proof)
        assert made is not None, "just written"
        return made

    def _again(self, job: Job, attempts: int, *, refused: bool) -> None:
        proof, count = job.status.id, job.refused + refused
        if refused:
            self._run(sql.REFUSE, proof)
        elif job.status.state not in (ProofState.CANCELLED, ProofState.FAILED):
            return
        if count < attempts:
            self._run(sql.QUEUE_AGAIN, time.time(), proof)
        elif refused:
            self._run(sql.FAIL_REFUSED, REFUSED.format(count), time.time(), proof)

    def start(self, proof: str) -> None:
        """Counts an attempt, before it begins."""
        with self._transaction():
            self._run(sql.START, proof)

    def interrupted(self, proof: str, reason: str, *, counts: bool) -> None:
        """Puts a task back into its place. counts: the attempt was its own fault, for all that is known."""
        with self._transaction():
            self._run(sql.PUT_BACK, reason, not counts, proof)

    def finish(self, proof: str, seal: bytes, made: Measurement, circuit_id: bytes) -> bool:
        """Keeps a seal and what it took; False if the task was cancelled meanwhile."""
        with self._transaction():
            taken = (made.cpu_seconds, made.peak_bytes)
            finished = self._run(sql.FINISH, time.time(), seal, *taken, proof).rowcount == 1
            self._measured(made, circuit_id)
        return finished

    def measured(self, made: Measurement, circuit_id: bytes) -> None:
        """Keeps what a proof took that no task asked for."""
        with self._transaction():
            self._measured(made, circuit_id)

    def _measured(self, made: Measurement, circuit_id: bytes) -> None:
        self._run(sql.ADD_MEASUREMENT, circuit_id, made.cpu_seconds, made.seconds, made.memory)
        self._run(sql.FORGET_MEASUREMENTS, circuit_id, circuit_id, KEPT)

    def fail(self, proof: str, reason: str) -> None:
        """Ends a task without a seal."""
        with self._transaction():
            self._run(sql.FAIL, reason, time.time(), proof)

    def cancel(self, proof: str) -> bool:
        """Ends a task that nobody needs; False if it had ended (or never was)."""
        with self._transaction():
            return self._run(sql.CANCEL, time.time(), proof).rowcount == 1

    def resume(self, attempts: int) -> int:
        """Queues again what was being proven when the process ended; how many tasks those are.

        A task that took the process with it `attempts` times has failed. Seals that were refused are
        forgotten: a new start is what puts their circuit's folder right.
        """
        resumed = 0
        with self._transaction():
            self._run(sql.FORGET_REFUSALS)
            for proof, begun in self._run(sql.PROVING).fetchall():
                if begun >= attempts:
                    self._run(sql.FAIL, GAVE_UP.format(begun), time.time(), proof)
                else:
                    self._run(sql.PUT_BACK, "interrupted", 0, proof)
                    resumed += 1
        return resumed

    def prune(self, before: float, circuits: Sequence[bytes]) -> int:
        """Drops tasks that ended before that time, unix seconds, and those that were queued before it for
        circuits that are none of these; how many."""
        with self._transaction():
            return self._run(sql.prune(len(circuits)), before, before, *circuits).rowcount

    # --- what others read ---

    def get(self, proof: str) -> Job | None:
        """A task by its id."""
        with self._trouble():
            return self._get(proof)

    def first(self, circuits: Sequence[bytes], soon: Soon) -> Job | None:
        """The queued task of these circuits whose turn it is."""
        with self._trouble():
            statement = sql.first(len(circuits))
            row = self._run(statement, *circuits, soon.now, soon.end).fetchone()
        return None if row is None else _job(row)

    def ahead(self, proof: str, circuits: Sequence[bytes], soon: Soon) -> dict[bytes, int]:
        """How many queued tasks of each circuit come before a queued task."""
        times = (soon.now, soon.end)
        with self._trouble():
            return dict(self._run(sql.ahead(len(circuits)), *circuits, *times, *times, proof).fetchall())

    def queued(self, circuits: Sequence[bytes]) -> dict[bytes, int]:
        """How many tasks of each circuit are queued."""
        with self._trouble():
            return dict(self._run(sql.queued(len(circuits)), *circuits).fetchall())

    def counts(self) -> dict[ProofState, int]:
        """Tasks per state."""
        with self._trouble():
            return {ProofState(state): count for state, count in self._run(sql.COUNTS)}

    def measurements(self, circuit_id: bytes) -> list[Measurement]:
        """What the latest proofs of a circuit took, newest first."""
        with self._trouble():
            rows = self._run(sql.MEASUREMENTS, circuit_id, KEPT).fetchall()
        return [Measurement(cpu, seconds, memory, memory) for cpu, seconds, memory in rows]

    def check_writable(self) -> None:
        """Raises StoreUnavailable if nothing can be written now."""
        with self._transaction():
            self._run(sql.SET_VERSION)  # as it is; opening a transaction alone asks for no permission

    def _get(self, proof: str) -> Job | None:
        row = self._run(sql.GET, proof).fetchone()
        return None if row is None else _job(row)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._trouble():
            self._run(sql.BEGIN)
            try:
                yield
                self._run(sql.COMMIT)
            except BaseException:
                if self._db.in_transaction:
                    self._run(sql.ROLLBACK)
                raise

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreUnavailable(self.path, str(error)) from error

    def _run(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return self._db.execute(statement, values)


def _job(row: Mapping[str, Any] | sqlite3.Row) -> Job:
    task = task_of(json.loads(row["task"]) | {"proveBy": row["prove_by"]})
    status = ProofStatus(
        id=row["id"],
        state=ProofState(row["state"]),
        seal=row["seal"],
        reason=row["reason"],
        cpu_seconds=row["cpu_seconds"],
        peak_bytes=row["peak_bytes"],
    )
    return Job(task, status, row["attempts"], row["queued_at"], row["ended_at"], row["refused"])
