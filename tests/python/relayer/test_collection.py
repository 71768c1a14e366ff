"""When a quorum is complete, and when it cannot be any more."""

from coincurve import PrivateKey

from tests.python.relayer.making import CHAIN_ID, HUB, OPERATOR, make_job
from vouch.protocol.claim import Claim
from vouch.protocol.quorum import QUORUM, Policy, QuorumSeal
from vouch.protocol.seal import Seal, address_of, sign_claim
from vouch.relayer.collection import Collection

KEYS = {address_of(key.public_key): key for key in (PrivateKey(bytes([n]) * 32) for n in (1, 2, 3, 4))}
JOB = make_job(route=QUORUM)
CLAIM = Claim(JOB.id, JOB.terms.model_id, JOB.terms.input_hash, b"\5" * 32, OPERATOR)
POLICY = Policy.of(2, list(KEYS)[:3])
ONE, TWO, THREE = POLICY.signers
STRANGER = list(KEYS)[3]


def signed(signer: str) -> bytes:
    return sign_claim(KEYS[signer], CLAIM, CHAIN_ID, HUB).proof


def collection(*signers: str, askable: tuple[str, ...] = POLICY.signers, patient: bool = False) -> Collection:
    made = Collection(JOB, CLAIM, POLICY, set(askable), patient)
    made.signed.update({signer: signed(signer) for signer in signers})
    return made


def test_a_seal_has_as_many_signatures_as_needed_and_no_more() -> None:
    assert collection(ONE).seal is None
    for signers in ((ONE, THREE), (ONE, TWO, THREE)):
        seal = collection(*signers).seal
        assert seal is not None
        parsed = QuorumSeal.parse(Seal.parse(seal))
        assert len(parsed.signatures) == 2
        parsed.check(POLICY.trust, CLAIM, CHAIN_ID, HUB)


def test_strangers_do_not_count() -> None:
    found = collection(ONE, STRANGER)
    assert found.seal is None


def test_hope_ends_with_the_last_refusal_that_matters() -> None:
    found = collection(ONE)
    assert found.open == [TWO, THREE]
    found.refused[TWO] = "Disagrees"
    assert (found.open, found.hopeless) == ([THREE], False)
    found.troubles[THREE] = "Cannot connect"
    assert not found.hopeless, "it may come back"
    found.refused[THREE] = "Disagrees"
    assert (found.open, found.hopeless) == ([], True)


def test_signers_without_an_address_are_no_hope() -> None:
    assert collection(ONE, askable=(ONE,)).hopeless
    assert not collection(ONE, askable=(TWO,)).hopeless


def test_it_says_how_far_it_is_and_why_not_further() -> None:
    found = collection(ONE, askable=(ONE, TWO))
    found.troubles[TWO] = "Cannot connect"
    assert str(found) == (
        f"1 of 2 signatures; {TWO}: Cannot connect; {THREE}: no co-signer of that operator is configured"
    )
    assert str(collection(ONE)) == f"1 of 2 signatures; {TWO} is asked; {THREE} is asked"
