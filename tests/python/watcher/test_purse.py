"""No bond over its budget, and none counted twice or not at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.python.watcher.making import (
    HUB,
    RIVAL,
    WE,
    challenged,
    delivered,
    docket_of,
    make_terms,
    rejected,
    request_id,
    requested,
    settled,
)
from vouch.protocol.request import NATIVE
from vouch.watcher.config import Budget
from vouch.watcher.docket import Docket
from vouch.watcher.finding import Kind
from vouch.watcher.purse import Purse
from vouch.watcher.store import Lost, Sent, Store

TERMS = make_terms(bond=100)
ID = request_id(TERMS)
BASE = (requested(1, TERMS), delivered(2, TERMS))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "watch.sqlite") as opened:
        yield opened


def purse(store: Store, docket: Docket, most: int = 250) -> Purse:
    return Purse({NATIVE: Budget(100, most)}, docket, store, WE)


def on_its_way(store: Store, request: bytes = ID, kind: Kind = Kind.CHALLENGE, nonce: int = 0) -> None:
    store.sign(Sent(bytes([nonce]), nonce, kind, request, b"", NATIVE, 100, b"raw"))


def test_an_open_challenge_of_ours_is_at_risk_and_nobody_elses(store: Store) -> None:
    assert purse(store, docket_of(*BASE)).at_risk(NATIVE) == 0
    assert purse(store, docket_of(*BASE, challenged(3, TERMS))).at_risk(NATIVE) == 100
    assert purse(store, docket_of(*BASE, challenged(3, TERMS, RIVAL))).at_risk(NATIVE) == 0
    assert purse(store, docket_of(*BASE, challenged(3, TERMS))).at_risk(HUB) == 0
    for end in (settled(4, TERMS), rejected(4, TERMS)):
        assert purse(store, docket_of(*BASE, challenged(3, TERMS), end)).at_risk(NATIVE) == 0


def test_a_challenge_on_its_way_is_at_risk_until_its_log_is_read(store: Store) -> None:
    on_its_way(store)
    assert purse(store, docket_of()).at_risk(NATIVE) == 100  # before anything was read
    assert purse(store, docket_of(*BASE)).at_risk(NATIVE) == 100
    store.mined(0)
    assert purse(store, docket_of(*BASE)).at_risk(NATIVE) == 100
    assert purse(store, docket_of(*BASE, challenged(3, TERMS))).at_risk(NATIVE) == 100  # not twice
    assert purse(store, docket_of(*BASE, challenged(3, TERMS, RIVAL))).at_risk(NATIVE) == 0
    assert purse(store, docket_of(*BASE, settled(3, TERMS))).at_risk(NATIVE) == 0
    assert purse(store, docket_of()).at_risk(NATIVE) == 0


def test_other_transactions_put_nothing_up(store: Store) -> None:
    on_its_way(store, kind=Kind.REJECT)
    assert purse(store, docket_of(*BASE)).at_risk(NATIVE) == 0


def test_the_budgets(store: Store) -> None:
    one = purse(store, docket_of(*BASE))
    assert one.refusal(NATIVE, 100) == ""
    assert "the bond is 101 wei, over --max-bond 100 wei" in one.refusal(NATIVE, 101)
    assert "--token" in one.refusal(HUB, 0)
    on_its_way(store, b"a" * 32, nonce=1)
    assert one.shortage(ID, NATIVE, 100) == ""
    on_its_way(store, b"b" * 32, nonce=2)
    assert "200 wei are at risk already and 0 wei were lost" in one.shortage(ID, NATIVE, 51)
    assert one.shortage(ID, NATIVE, 50) == ""
    assert one.shortage(b"a" * 32, NATIVE, 100) == ""  # the same bond is not put up twice


def test_what_was_lost_is_gone_from_the_budget_for_ever(store: Store) -> None:
    one = purse(store, docket_of(*BASE))
    store.lose(Lost(b"a", b"m" * 32, NATIVE, 200))
    store.lose(Lost(b"b", b"n" * 32, HUB, 9_000))
    assert one.lost(NATIVE) == 200
    assert "200 wei were lost" in one.shortage(ID, NATIVE, 100)
    assert one.lost_on(b"m" * 32)
    assert not one.lost_on(b"o" * 32)


def test_without_an_account_nothing_is_ours(store: Store) -> None:
    docket = docket_of(*BASE, challenged(3, TERMS))
    assert Purse({NATIVE: Budget(100, 250)}, docket, store, None).at_risk(NATIVE) == 0
