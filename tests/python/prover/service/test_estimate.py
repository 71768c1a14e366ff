import pytest

from vouch.prover.service.estimate import KEPT, Estimates, Machine, Measurement, Running

A, B, NEW = b"a", b"b", b"new"


def took(cpu: float, seconds: float | None = None, memory: int = 100) -> Measurement:
    return Measurement(cpu, cpu if seconds is None else seconds, memory // 2, memory)


def estimates(workers: int = 1, processors: int = 4, memory: int = 1000) -> Estimates:
    known = {A: [took(1), took(9), took(2)], B: [took(10, memory=400)], NEW: []}
    return Estimates(Machine(workers, processors, memory), known)


def test_medians_and_the_most_memory() -> None:
    made = estimates()
    typical = made.typical(A)
    assert typical is not None
    assert (typical.cpu_seconds, typical.seconds) == (2, 2)
    made.add(A, took(2, memory=300))
    made.add(A, took(2, memory=200))
    assert made.memory(A) == 300
    assert made.typical(NEW) is None


def test_only_the_latest_count() -> None:
    made = estimates()
    for _ in range(KEPT):
        made.add(B, took(3, memory=50))
    typical = made.typical(B)
    assert typical is not None
    assert (typical.cpu_seconds, made.memory(B)) == (3, 50)


def test_memory_bounds_how_many_run() -> None:
    made = estimates(workers=9)
    assert made.fits(B, [A, B])
    assert not made.fits(B, [A, B, B])
    assert made.fits(A, [A, B, B])


def test_an_unknown_circuit_runs_alone() -> None:
    made = estimates(workers=9)
    assert made.fits(NEW, [])
    assert not made.fits(NEW, [A])
    assert not made.fits(A, [NEW])
    made.add(NEW, took(1, memory=100))
    assert made.fits(A, [NEW])


def test_what_is_too_large_runs_alone() -> None:
    made = estimates(workers=2, memory=300)
    assert made.fits(B, [])
    assert not made.fits(A, [B])


def test_waiting_in_a_line() -> None:
    """One worker whose proofs use one processor: everything ahead, one after the other."""
    made = estimates()
    assert made.wait(A, {}, []) == 2
    assert made.wait(A, {A: 3, B: 1}, []) == 2 + 6 + 10
    assert made.wait(A, {}, [Running(B, 4.0)]) == pytest.approx(2 + 6)
    assert made.wait(A, {}, [Running(B, 40.0)]) == 2


def test_waiting_with_several_workers() -> None:
    made = estimates(workers=2)
    assert made.wait(A, {A: 9}, []) == 10
    assert made.wait(A, {}, []) == 2
    # No more at once than there are processors, or than memory allows.
    assert estimates(workers=8, processors=4).wait(A, {A: 9}, []) == 5
    assert estimates(workers=8, memory=100).wait(A, {A: 9}, []) == 20


def test_proofs_that_use_several_processors() -> None:
    made = Estimates(Machine(1, 4, 1000), {A: [took(6, seconds=2)]})
    assert made.wait(A, {A: 4}, []) == 10
    assert Estimates(Machine(1, 2, 1000), {A: [took(6, seconds=2)]}).wait(A, {A: 4}, []) == 15


def test_nobody_knows() -> None:
    made = estimates()
    assert made.wait(NEW, {}, []) is None
    assert made.wait(A, {NEW: 1}, []) is None
    assert made.wait(A, {}, [Running(NEW, 1.0)]) is None
    assert made.left(Running(NEW, 1.0)) is None


def test_what_is_left() -> None:
    made = estimates()
    assert made.left(Running(B, 4.0)) == 6
    assert made.left(Running(B, 40.0)) == 0


def test_the_whole_queue() -> None:
    assert estimates().horizon({A: 3, B: 1, NEW: 5}) == 16
    assert estimates(workers=2).horizon({A: 3, B: 1}) == 8
    assert estimates().horizon({}) == 0


def test_an_attempt_that_fails_ends_what_was_known() -> None:
    made = estimates()
    made.failed(B)
    assert made.expected(B) is None
    assert made.wait(B, {}, []) is None
    assert made.left(Running(B, 4.0)) is None
    # The others still wait for it as long as for one that succeeds.
    assert made.wait(A, {B: 1}, []) == 2 + 10
    assert made.memory(B) == 400
    made.add(B, took(10))
    assert made.wait(B, {}, []) == 10
    assert made.expected(B) == made.typical(B)


def test_bounds() -> None:
    made = Estimates(Machine(2, 4, 1000), {A: [took(1), took(9), took(2)], B: [took(10, memory=400)]})
    assert made.free([]) == 1000
    assert made.free([A, B]) == 500
    assert made.free([NEW]) == 0
    assert made.limit(A) == 60
    made.add(B, took(10))
    made.add(B, took(10))
    assert made.limit(B) == 100
    assert made.limit(NEW) is None


def test_what_is_known_not_to_fit() -> None:
    made = estimates(memory=300)
    assert made.too_much(B) == 400
    assert made.too_much(A) == 0
    assert made.too_much(NEW) == 0
    # One proof that fitted shows that they can.
    made.add(B, took(10, memory=250))
    assert made.too_much(B) == 0
    assert made.memory(B) == 300
