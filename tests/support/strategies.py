"""Hypothesis strategies for requests and claims."""

from eth_utils.address import to_checksum_address
from hypothesis import strategies as st

from vouch.protocol.claim import Claim
from vouch.protocol.request import Request
from vouch.protocol.status import Gate

addresses = st.binary(min_size=20, max_size=20).map(to_checksum_address)
hashes = st.binary(min_size=32, max_size=32)


def uints(bits: int) -> st.SearchStrategy[int]:
    """All of uint{bits}, its ends often."""
    return st.one_of(st.integers(0, (1 << bits) - 1), st.sampled_from([0, 1, (1 << bits) - 1]))


requests = st.builds(
    Request,
    consumer=addresses,
    operator=addresses,
    refund_to=addresses,
    token=addresses,
    fee=uints(96),
    exposure=uints(96),
    bond=uints(96),
    deliver_by=uints(40),
    prove_within=uints(32),
    window=uints(32),
    callback_gas=uints(32),
    gate=st.sampled_from(Gate),
    route=st.binary(min_size=4, max_size=4),
    trust=hashes,
    model_id=hashes,
    input_hash=hashes,
    salt=uints(256),
)

claims = st.builds(
    Claim, request_id=hashes, model_id=hashes, input_hash=hashes, output_hash=hashes, operator=addresses
)
