"""Every rule is needed: a forgery that breaks only this rule passes without it."""

import pytest

from tests.contracts.attestation import forgeries
from tests.contracts.attestation.forgeries import Forgery
from vouch.attestation.p384 import verify
from vouch.attestation.p384.errors import Refused
from vouch.attestation.p384.verifier import ALL, Rule, check


@pytest.fixture(params=forgeries.ALL, ids=lambda make: make.__name__)
def forgery(request: pytest.FixtureRequest) -> Forgery:
    made: Forgery = request.param()
    return made


def test_there_is_a_forgery_for_every_rule() -> None:
    assert {make().rule for make in forgeries.ALL} == set(Rule)


def test_forgery_is_refused(forgery: Forgery) -> None:
    assert forgeries.is_false(forgery.signed)
    with pytest.raises(Refused) as refused:
        verify(forgery.signed, forgery.hints)
    assert refused.value.name == forgery.error


def test_forgery_passes_without_its_rule(forgery: Forgery) -> None:
    check(forgery.signed, forgery.hints, ALL - {forgery.rule})
