"""Requests kept from logs alone, and taken back by forks."""

import pytest

from tests.python.watcher.making import (
    KEEP,
    OPERATOR,
    OTHER,
    OUTPUT,
    RIVAL,
    WE,
    case_of,
    challenged,
    delivered,
    docket_of,
    expired,
    make_terms,
    rejected,
    request_id,
    requested,
    settled,
)
from vouch.chain.events import MalformedLog, TypedLog
from vouch.protocol.keccak import keccak
from vouch.protocol.request import Request
from vouch.protocol.status import Status
from vouch.watcher.case import Answer

TERMS = make_terms()
ID = request_id(TERMS)


def test_a_case_is_what_its_logs_say() -> None:
    case = case_of(requested(5, TERMS), delivered(6, TERMS), challenged(7, TERMS))
    assert (case.terms, case.asked.block) == (TERMS, 5)
    assert case.open
    assert case.answer == Answer(ID, OPERATOR, keccak(OUTPUT))
    assert case.challenger == WE


@pytest.mark.parametrize(
    ("end", "status"),
    [(settled, Status.SETTLED), (rejected, Status.REJECTED), (expired, Status.EXPIRED)],
)
def test_an_ended_case_has_no_answer_to_judge(end: object, status: Status) -> None:
    assert callable(end)
    case = case_of(requested(5, TERMS), delivered(6, TERMS), end(7, TERMS))
    assert case.end is not None
    assert (case.end.status, case.open, case.answer) == (status, False, None)


def test_what_changed_is_handed_over_once_and_in_order() -> None:
    other = make_terms(salt=2)
    docket = docket_of(requested(5, TERMS), requested(5, other))
    assert docket.changed() == []  # a question alone is nobody's concern
    docket.take([delivered(6, other), delivered(6, TERMS)], 6)
    assert docket.changed() == [request_id(other), ID]
    assert docket.changed() == []


@pytest.mark.parametrize("back_to", [4, 5, 6, 7, 8])
def test_a_fork_takes_back_exactly_what_came_after(back_to: int) -> None:
    logs = [requested(5, TERMS), delivered(6, TERMS), challenged(7, TERMS), rejected(8, TERMS)]
    docket = docket_of(*logs)
    docket.changed()
    docket.rewind(back_to)
    kept = [log for log in logs if log.block_number <= back_to]
    assert docket.get(ID) == (case_of(*kept) if kept else None)
    assert docket.changed() == ([] if back_to == 8 else [ID])
    assert docket.closed() == []
    docket.take(logs[back_to - 4 :], 8)  # the same again
    assert docket.get(ID) == case_of(*logs)


def test_another_delivery_in_its_place_is_another_answer() -> None:
    docket = docket_of(requested(5, TERMS), delivered(6, TERMS))
    docket.rewind(5)
    docket.take([delivered(6, TERMS, OTHER, fork="b")], 6)
    case = docket.get(ID)
    assert case is not None
    assert case.answer == Answer(ID, OPERATOR, keccak(OTHER))


def test_ended_requests_are_forgotten_when_no_fork_reaches_them() -> None:
    docket = docket_of(requested(5, TERMS), delivered(6, TERMS), settled(7, TERMS))
    docket.take([], 7 + KEEP)
    assert ID in docket
    docket.take([], 8 + KEEP)
    assert ID not in docket
    assert (docket.changed(), docket.closed()) == ([], [])


def test_the_end_of_a_challenged_request_is_not_forgotten_unseen() -> None:
    docket = docket_of(requested(5, TERMS), delivered(6, TERMS), challenged(6, TERMS))
    docket.take([settled(7, TERMS)], 100)
    assert docket.changed() == []
    (case,) = docket.closed()
    assert (case.id, case.challenger) == (ID, WE)
    assert docket.closed() == []


def test_questions_that_nobody_can_answer_any_more_are_forgotten() -> None:
    late, early = make_terms(salt=2, deliver_by=2_000), make_terms(salt=3, deliver_by=9_000)
    docket = docket_of(requested(5, late), requested(5, early), requested(5, TERMS), delivered(6, TERMS))
    docket.tidy(2_000 + 3_600)
    assert request_id(late) in docket
    docket.tidy(2_000 + 3_601)
    assert request_id(late) not in docket
    assert request_id(early) in docket
    docket.tidy(TERMS.deliver_by + 10_000)
    assert ID in docket  # it was answered in time


@pytest.mark.parametrize(
    ("logs", "horizon"),
    [
        ([], 100 - KEEP + 1),
        ([requested(5, TERMS)], 5),
        ([requested(99, TERMS)], 100 - KEEP + 1),
    ],
)
def test_a_restart_reads_all_that_may_still_matter(logs: list[TypedLog], horizon: int) -> None:
    docket = docket_of(*logs)
    docket.take([], 100)
    assert docket.horizon(100) == horizon


def test_a_delivery_of_an_unknown_question_is_an_orphan() -> None:
    docket = docket_of(delivered(6, TERMS), challenged(7, TERMS), settled(8, TERMS))
    assert docket.orphans == [ID]
    assert len(docket) == 0


def test_logs_that_make_no_sense_are_passed_over() -> None:
    log = requested(5, TERMS)
    at = {
        name: getattr(log, name) for name in ("address", "block_number", "block_hash", "tx_hash", "log_index")
    }
    docket = docket_of(MalformedLog(**at, topics=(), data=b"", reason="nonsense"))
    assert len(docket) == 0


def test_a_challenge_by_somebody_else_is_not_ours() -> None:
    terms: Request = TERMS
    assert case_of(requested(5, terms), delivered(6, terms), challenged(7, terms, RIVAL)).challenger == RIVAL
