"""Request ids and claim digests are the same in Python and in Solidity."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.parity.harness import Harness
from tests.support.strategies import addresses, claims, requests
from vouch.protocol.claim import Claim
from vouch.protocol.request import NATIVE, Request

many = settings(max_examples=20, deadline=None)


@many
@given(terms=st.lists(requests, min_size=1, max_size=30), hub=addresses)
async def test_request_id(solidity: Harness, terms: list[Request], hub: str) -> None:
    chain_id = await solidity.chain_id()
    ids = await solidity.calls("requestId", [(request.to_abi(), hub) for request in terms])
    assert ids == [request.id(chain_id, hub) for request in terms]


@many
@given(terms=st.lists(requests, min_size=1, max_size=30))
async def test_every_request_python_can_make_is_canonical(solidity: Harness, terms: list[Request]) -> None:
    assert all(await solidity.calls("isCanonical", [(request.to_abi(),) for request in terms]))


@many
@given(terms=st.lists(requests, min_size=1, max_size=30))
async def test_beneficiary(solidity: Harness, terms: list[Request]) -> None:
    terms += [replace(request, refund_to=NATIVE) for request in terms]
    theirs = await solidity.calls("beneficiary", [(request.to_abi(),) for request in terms])
    assert theirs == [request.beneficiary for request in terms]


@many
@given(made=st.lists(claims, min_size=1, max_size=30), hub=addresses)
async def test_claim_digest(solidity: Harness, made: list[Claim], hub: str) -> None:
    chain_id = await solidity.chain_id()
    arguments = [((c.request_id, c.model_id, c.input_hash, c.output_hash, c.operator), hub) for c in made]
    assert await solidity.calls("claimDigest", arguments) == [claim.digest(chain_id, hub) for claim in made]


@pytest.mark.parametrize("chain_id", [1, 31338])
async def test_ids_differ_between_chains(solidity: Harness, chain_id: int) -> None:
    assert await solidity.chain_id() != chain_id
    claim = Claim(b"\1" * 32, b"\2" * 32, b"\3" * 32, b"\4" * 32, NATIVE)
    theirs = await solidity.call("claimDigest", (*[b"%c" % i * 32 for i in (1, 2, 3, 4)], NATIVE), NATIVE)
    assert claim.digest(await solidity.chain_id(), NATIVE) == theirs
    assert claim.digest(chain_id, NATIVE) != theirs
