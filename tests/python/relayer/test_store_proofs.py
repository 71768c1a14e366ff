"""What was collected once is there after a restart."""

from pathlib import Path

from tests.python.relayer.making import OPERATOR, seen
from vouch.protocol.quorum import Policy
from vouch.relayer.store import Store
from vouch.relayer.store_proofs import Cosignatures

CLAIM, OTHER_CLAIM = b"\1" * 32, b"\2" * 32
SIGNERS = [f"0x{n:040x}" for n in (5, 3, 9)]


def test_signatures_and_refusals_belong_to_one_claim(store: Store, tmp_path: Path) -> None:
    request = seen(store)
    store.cosigned(CLAIM, OPERATOR, request, b"\3" * 65)
    store.refused(CLAIM, SIGNERS[0], request, "Disagrees: no")
    with Store(tmp_path / "relayer.sqlite") as again:
        known = again.cosignatures(CLAIM)
        assert known.signed == {OPERATOR: b"\3" * 65}
        assert known.refused == {SIGNERS[0]: "Disagrees: no"}
        assert again.cosignatures(OTHER_CLAIM) == Cosignatures({}, {})


def test_a_signature_counts_more_than_an_earlier_refusal(store: Store) -> None:
    request = seen(store)
    store.refused(CLAIM, OPERATOR, request, "no")
    store.cosigned(CLAIM, OPERATOR, request, b"\3" * 65)
    assert store.cosignatures(CLAIM).refused == {}


def test_quorums_outlive_their_configuration(store: Store) -> None:
    one, two = Policy.of(2, SIGNERS), Policy.of(3, SIGNERS)
    for policy in (one, two, one):
        store.remember_policy(policy)
    assert (store.policy(one.trust), store.policy(two.trust)) == (one, two)
    assert store.policy(bytes(32)) is None


def test_who_signs_at_an_address(store: Store) -> None:
    assert store.signer("http://a") is None
    store.remember_signer("http://a", SIGNERS[0])
    store.remember_signer("http://a", SIGNERS[1])
    assert store.signer("http://a") == SIGNERS[1]
