"""The Solidity side of the parity tests: CodecHarness, called without deploying it."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.parity.harness import Harness
from vouch.chain.anvil import Anvil
from vouch.chain.rpc import Rpc


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def solidity(anvil: Anvil) -> AsyncIterator[Harness]:
    async with Rpc(anvil.http_url) as rpc:
        yield Harness(rpc)
