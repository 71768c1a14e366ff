import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.python.prover.service.asking import BATCH, SINGLE, task
from vouch.prover.service.errors import DatabaseInUse, ForeignStore, StoreUnavailable
from vouch.prover.service.estimate import KEPT, Measurement
from vouch.prover.service.store import GAVE_UP, REFUSED, Job, Soon, Store
from vouch.prover.service.task import ProofState

BOTH = (SINGLE.id, BATCH.id)
NEVER = Soon(0, 0)
TOOK = Measurement(1.5, 1.0, 10, 20)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "proofs.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path) as opened:
        yield opened


def got(store: Store, proof: str) -> Job:
    job = store.get(proof)
    assert job is not None
    return job


def order(store: Store, soon: Soon = NEVER) -> list[int]:
    """Request numbers in the order in which they are proven."""
    made = []
    while (job := store.first(BOTH, soon)) is not None:
        made.append(int.from_bytes(job.task.items[0].request_id, "big"))
        assert store.cancel(job.status.id)
    return made


def test_first_come_first_served(store: Store) -> None:
    for number in (3, 1, 2):
        store.submit(task(number), attempts=2)
    assert order(store) == [3, 1, 2]


def test_near_deadlines_go_first(store: Store) -> None:
    for number, prove_by in ((1, None), (2, 99), (3, 150), (4, 120), (5, 200), (6, 100)):
        store.submit(task(number, prove_by=prove_by), attempts=2)
    # 99 is over already, 200 is far away.
    assert order(store, Soon(100, 200)) == [6, 4, 3, 1, 2, 5]


def test_what_is_ahead(store: Store) -> None:
    for number, prove_by in ((1, None), (2, None), (3, 150)):
        store.submit(task(number, prove_by=prove_by), attempts=2)
    store.submit(task(4, circuit=BATCH), attempts=2)
    store.submit(task(5), attempts=2)
    soon = Soon(100, 200)
    assert store.ahead(task(3).id, BOTH, soon) == {}
    assert store.ahead(task(1).id, BOTH, soon) == {SINGLE.id: 1}
    assert store.ahead(task(5).id, BOTH, soon) == {SINGLE.id: 3, BATCH.id: 1}
    assert store.ahead(task(5).id, (SINGLE.id,), soon) == {SINGLE.id: 3}
    assert store.queued(BOTH) == {SINGLE.id: 4, BATCH.id: 1}
    assert store.queued(()) == {}


def test_only_the_circuits_that_are_there(store: Store) -> None:
    store.submit(task(1), attempts=2)
    store.submit(task(2, circuit=BATCH), attempts=2)
    first = store.first((BATCH.id,), NEVER)
    assert first is not None
    assert first.task == task(2, circuit=BATCH)
    assert store.first((), NEVER) is None


def test_submitting_twice(store: Store) -> None:
    one = store.submit(task(1), attempts=2)
    store.submit(task(2), attempts=2)
    again = store.submit(task(1, prove_by=7), attempts=2)
    assert (again.queued_at, again.task.prove_by) == (one.queued_at, 7)
    assert order(store) == [1, 2]


@pytest.mark.parametrize("end", ["cancel", "fail"])
def test_submitting_again_after_the_end(store: Store, end: str) -> None:
    proof = store.submit(task(1), attempts=2).status.id
    store.submit(task(2), attempts=2)
    store.start(proof)
    store.cancel(proof) if end == "cancel" else store.fail(proof, "why")
    assert got(store, proof).ended_at is not None
    assert got(store, proof).status.reason == ("" if end == "cancel" else "why")
    job = store.submit(task(1), attempts=2)
    assert (job.status.state, job.status.reason, job.attempts, job.ended_at) == (
        ProofState.QUEUED,
        "",
        0,
        None,
    )
    assert order(store) == [2, 1]


def test_the_end_of_a_proof(store: Store) -> None:
    proof = store.submit(task(), attempts=2).status.id
    assert not store.finish(proof, b"early", TOOK, SINGLE.id)
    store.start(proof)
    assert got(store, proof).status.state is ProofState.PROVING
    assert store.finish(proof, b"seal", TOOK, SINGLE.id)
    done = got(store, proof).status
    assert (done.state, done.seal, done.cpu_seconds, done.peak_bytes) == (ProofState.DONE, b"seal", 1.5, 10)
    assert not store.cancel(proof)
    store.fail(proof, "late")
    store.interrupted(proof, "late", counts=True)
    store.start(proof)
    assert got(store, proof).status == done
    assert store.submit(task(), attempts=2).status == done


def test_cancelled_while_it_was_proven(store: Store) -> None:
    proof = store.submit(task(), attempts=2).status.id
    store.start(proof)
    assert store.cancel(proof)
    store.interrupted(proof, "interrupted", counts=False)
    assert not store.finish(proof, b"seal", TOOK, SINGLE.id)
    assert got(store, proof).status.state is ProofState.CANCELLED
    assert not store.cancel("00" * 32)


def test_interrupted_proofs_keep_their_turn(store: Store) -> None:
    for number in (1, 2):
        store.submit(task(number), attempts=2)
    proof = task(1).id
    store.start(proof)
    store.interrupted(proof, "first", counts=True)
    store.start(proof)
    store.interrupted(proof, "second", counts=False)
    job = got(store, proof)
    assert (job.attempts, job.status.reason, job.status.state) == (1, "second", ProofState.QUEUED)
    assert order(store) == [1, 2]


def test_everything_is_there_after_a_restart(path: Path) -> None:
    with Store(path) as store:
        for number in (1, 2, 3):
            store.submit(task(number, prove_by=number), attempts=2)
        store.start(task(1).id)
        store.start(task(2).id)
        store.finish(task(2).id, b"seal", TOOK, SINGLE.id)
    with Store(path) as store:
        assert got(store, task(2).id).status.seal == b"seal"
        assert got(store, task(1).id).status.state is ProofState.PROVING
        assert store.measurements(SINGLE.id) == [Measurement(1.5, 1.0, 20, 20)]
        assert store.resume(attempts=2) == 1
        assert got(store, task(1).id).task == task(1, prove_by=1)
        assert order(store) == [1, 3]


def test_resuming_has_an_end(store: Store) -> None:
    proof = store.submit(task(), attempts=2).status.id
    for _ in range(2):
        store.start(proof)
        assert store.resume(attempts=3) == 1
    store.start(proof)
    assert store.resume(attempts=3) == 0
    failed = got(store, proof).status
    assert (failed.state, failed.reason) == (ProofState.FAILED, GAVE_UP.format(3))


def test_old_ends_are_dropped(store: Store) -> None:
    for number in (1, 2):
        store.submit(task(number), attempts=2)
    store.cancel(task(1).id)
    ended = got(store, task(1).id).ended_at
    assert ended is not None
    assert store.prune(ended, BOTH) == 0
    assert store.prune(ended + 1, BOTH) == 1
    assert store.get(task(1).id) is None
    assert store.get(task(2).id) is not None


def test_what_waits_for_a_circuit_that_is_gone_is_dropped_for_its_age(store: Store) -> None:
    gone = store.submit(task(1), attempts=2)
    store.submit(task(2), attempts=2)
    store.start(task(2).id)
    store.submit(task(3, circuit=BATCH), attempts=2)
    assert store.prune(gone.queued_at, (BATCH.id,)) == 0
    assert store.prune(gone.queued_at + 100, BOTH) == 0
    assert store.prune(gone.queued_at + 100, (BATCH.id,)) == 1
    assert store.get(gone.status.id) is None
    assert got(store, task(2).id).status.state is ProofState.PROVING
    assert store.prune(gone.queued_at + 100, ()) == 1
    assert store.get(task(3, circuit=BATCH).id) is None


def finished(store: Store, proof: str) -> None:
    store.start(proof)
    assert store.finish(proof, b"seal", TOOK, SINGLE.id)


def test_refused_seals_are_made_again_and_counted(store: Store) -> None:
    proof = store.submit(task(), attempts=2).status.id
    finished(store, proof)
    assert store.submit(task(), attempts=2).status.state is ProofState.DONE
    queued = store.submit(task(), attempts=2, again=True)
    assert (queued.status.state, queued.refused, queued.attempts) == (ProofState.QUEUED, 1, 0)
    assert (queued.status.seal, queued.status.cpu_seconds, queued.status.peak_bytes) == (None, 0, 0)
    # Said once more before there is another seal, it counts once.
    assert store.submit(task(), attempts=2, again=True).refused == 1
    finished(store, proof)
    failed = store.submit(task(), attempts=2, again=True)
    assert (failed.status.state, failed.status.reason) == (ProofState.FAILED, REFUSED.format(2))
    assert (failed.status.seal, failed.ended_at is None) == (None, False)
    for again in (True, False):
        assert store.submit(task(), attempts=2, again=again) == failed
    # A new start may have put the circuit's folder right.
    assert store.resume(attempts=2) == 0
    assert store.submit(task(), attempts=2).status.state is ProofState.QUEUED


def test_one_attempt_means_one_seal(store: Store) -> None:
    proof = store.submit(task(), attempts=1).status.id
    finished(store, proof)
    assert store.submit(task(), attempts=1, again=True).status.state is ProofState.FAILED


def test_an_older_versions_file_is_taken_over(path: Path) -> None:
    with Store(path) as store:
        proof = store.submit(task(), attempts=2).status.id
        finished(store, proof)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("ALTER TABLE tasks DROP COLUMN refused")
        db.execute("PRAGMA user_version = 1")
    with Store(path) as store:
        job = got(store, proof)
    assert (job.status.seal, job.refused) == (b"seal", 0)


def test_what_no_task_asked_for_is_measured_too(store: Store) -> None:
    store.measured(TOOK, SINGLE.id)
    assert store.measurements(SINGLE.id) == [Measurement(1.5, 1.0, 20, 20)]


def test_only_the_latest_measurements_are_kept(store: Store, path: Path) -> None:
    for number in range(KEPT + 3):
        proof = store.submit(task(number), attempts=2).status.id
        store.start(proof)
        store.finish(proof, b"", Measurement(number, 1.0, 1, 1), SINGLE.id)
    kept = store.measurements(SINGLE.id)
    assert [m.cpu_seconds for m in kept] == list(range(KEPT + 2, 2, -1))
    assert store.measurements(BATCH.id) == []
    assert store.counts() == {ProofState.DONE: KEPT + 3}
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM measurements").fetchone() == (KEPT,)


def test_one_process_at_a_time(path: Path, store: Store) -> None:
    with pytest.raises(DatabaseInUse):
        Store(path)
    store.close()
    Store(path).close()


def test_another_versions_file(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 9")
    with pytest.raises(ForeignStore, match="schema version 9"):
        Store(path)


def test_no_database_at_all(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        Store(path)
    with pytest.raises(StoreUnavailable, match="No such file"):
        Store(tmp_path / "no" / "folder" / "db")
    # Neither attempt keeps it locked.
    path.unlink()
    Store(path).close()


def test_nothing_is_half_written(store: Store, path: Path) -> None:
    proof = store.submit(task(), attempts=2).status.id
    store.start(proof)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("DROP TABLE measurements")
    with pytest.raises(StoreUnavailable, match="measurements"):
        store.finish(proof, b"seal", TOOK, SINGLE.id)
    assert got(store, proof).status.state is ProofState.PROVING
    store.check_writable()
