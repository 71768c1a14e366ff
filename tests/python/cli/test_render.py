"""Answers, and how they stand, for people and programs."""

from typing import Any

import numpy as np
import pytest

from tests.support.terms import make_terms
from vouch.cli.render import assurance_text, gap_json, gap_terms_text, gap_text, moment, output_json
from vouch.client import TrustGap
from vouch.protocol.status import Assurance, Status

NOW = 1_700_000_000
SHOWN = "2023-11-14 22:13:20 UTC"
BEFORE = "2023-11-14 22:13:19 UTC"
BOND = "with a bond of 5 gwei"
WHO = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def test_outputs_as_json() -> None:
    assert output_json("text") == "text"
    assert output_json({"risk": np.array([[0.25]], dtype=np.float32)}) == {"risk": [[0.25]]}


def test_assurance_in_one_line() -> None:
    def text(status: Status, delivered: int, settled: int, failed: bool = False, proven: bool = True) -> str:
        return assurance_text(Assurance(status, failed, proven, b"SIGN", delivered, settled, bytes(18)))

    assert text(Status.REQUESTED, 0, 0) == "requested"
    assert text(Status.DELIVERED, 100, 0, proven=False) == "delivered"
    assert text(Status.SETTLED, 100, 100) == "settled, no trust gap"
    assert text(Status.SETTLED, 100, 160) == "settled, trust gap 60 s"
    assert text(Status.SETTLED, 100, 160, proven=False) == (
        "settled, not proven: nobody challenged, trust gap 60 s"
    )
    assert text(Status.SETTLED, 100, 100, failed=True) == "settled, no trust gap, callback failed"


def gap(status: Status = Status.DELIVERED, **changes: Any) -> TrustGap:
    plain: dict[str, Any] = {
        "delivered_at": NOW - 10,
        "challenge_by": None,
        "prove_by": None,
        "closed_at": None,
        "insured": 10**16,
        "challenger": None,
        "seconds": 10,
    }
    return TrustGap(status, **plain | changes)


@pytest.mark.parametrize(
    ("standing", "live", "said"),
    [
        (
            gap(prove_by=NOW + 50),
            True,
            "open for 10 s, the proof is due by 2023-11-14 22:14:10 UTC (in 50 s); insured 0.01 ether",
        ),
        (
            gap(prove_by=NOW - 3, insured=0),
            True,
            "the proof is 3 s late: anyone may reject it (`vouch reject`); not insured",
        ),
        (
            gap(Status.CHALLENGED, prove_by=NOW, challenger=WHO),
            True,
            f"open for 10 s, challenged by {WHO}, the proof is due by {SHOWN} (in 0 s); insured 0.01 ether",
        ),
        (
            gap(challenge_by=NOW, insured=0),
            True,
            f"open for 10 s, anyone may challenge it until {SHOWN} (in 0 s) {BOND}; not insured",
        ),
        (
            gap(challenge_by=NOW - 1, insured=0),
            True,
            f"nobody challenged until {BEFORE}: anyone may settle it (`vouch settle`); not insured",
        ),
        (
            gap(prove_by=NOW - 1, insured=0),
            False,
            "its route was withdrawn: anyone may end it (`vouch expire`), the fee comes back; not insured",
        ),
        (gap(Status.SETTLED, closed_at=NOW, insured=0), True, "closed after 10 s"),
        (
            gap(Status.REJECTED, closed_at=NOW, insured=0, challenger=WHO),
            True,
            f"closed after 10 s, challenged by {WHO}",
        ),
    ],
    ids=["due", "late", "challenged", "window", "window passed", "withdrawn", "closed", "closed, challenged"],
)
def test_who_may_do_what_next_in_one_line(standing: TrustGap, live: bool, said: str) -> None:
    terms = make_terms(bond=5 * 10**9)
    assert gap_text(standing, terms, live, NOW) == said


def test_a_bond_of_nothing_and_other_tokens() -> None:
    assert "without a bond" in gap_text(gap(challenge_by=NOW), make_terms(), True, NOW)
    assert "insured 7 of 0x" in gap_text(gap(prove_by=NOW, insured=7), make_terms(token=WHO), True, NOW)


def test_what_the_terms_allow() -> None:
    assert gap_terms_text(make_terms()) == "no trust gap"
    assert gap_terms_text(make_terms(prove_within=60)) == "a trust gap: 60 s for the proof"
    assert gap_terms_text(make_terms(window=9, prove_within=60, exposure=10**18, bond=7)) == (
        "a trust gap: a window of 9 s for challenges, then 60 s for the proof, exposure 1 ether, bond 7 wei"
    )


def test_a_gap_as_json() -> None:
    assert gap_json(gap(prove_by=NOW + 50)) == {
        "open": True,
        "seconds": 10,
        "deliveredAt": NOW - 10,
        "challengeBy": None,
        "proveBy": NOW + 50,
        "closedAt": None,
        "insured": 10**16,
        "challenger": None,
    }


def test_moments() -> None:
    assert moment(NOW) == SHOWN
    assert moment(NOW, NOW - 5) == f"{SHOWN} (in 5 s)"
