"""Which end is due when, second by second."""

import pytest

from vouch.client.gap import TrustGap, due
from vouch.protocol.request import NATIVE
from vouch.protocol.status import Gap, Status

DUE = 1_000


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.CHALLENGED])
def test_a_proof_is_due(status: Status) -> None:
    gap = Gap(status, 0, DUE, 5, NATIVE)
    assert due(gap, DUE, live=True) is None
    assert due(gap, DUE + 1, live=True) is Status.REJECTED
    assert due(gap, DUE, live=False) is Status.EXPIRED
    assert due(gap, DUE + 1, live=False) is Status.EXPIRED, "a withdrawn route never punishes"


def test_a_window_is_open() -> None:
    gap = Gap(Status.DELIVERED, DUE, 0, 5, NATIVE)
    assert due(gap, DUE, live=True) is None
    assert due(gap, DUE + 1, live=True) is Status.SETTLED
    assert due(gap, DUE, live=False) is Status.EXPIRED
    assert due(gap, DUE + 1, live=False) is Status.SETTLED, "nobody wanted a proof while there was time"


@pytest.mark.parametrize(
    "status", [Status.NONE, Status.REQUESTED, Status.SETTLED, Status.EXPIRED, Status.REJECTED]
)
def test_without_an_open_gap_nothing_is_due(status: Status) -> None:
    assert due(Gap(status, 0, 0, 0, NATIVE), DUE, live=True) is None
    assert due(Gap(status, 0, 0, 0, NATIVE), DUE, live=False) is None


def test_the_clients_view_is_read_the_same_way() -> None:
    gap = TrustGap(Status.DELIVERED, DUE - 60, DUE, None, None, 5, None, 10)
    assert (gap.open, gap.settled_at) == (True, None)
    assert due(gap, DUE, live=True) is None
    assert due(gap, DUE + 1, live=True) is Status.SETTLED


def test_only_a_settled_gap_has_a_settlement() -> None:
    assert TrustGap(Status.SETTLED, DUE, None, None, DUE + 9, 0, None, 9).settled_at == DUE + 9
    assert TrustGap(Status.REJECTED, DUE, None, None, DUE + 9, 0, None, 9).settled_at is None
