"""The zk route's programs, once per test process."""

import pytest
import pytest_asyncio

from tests.support import circuits, zk
from vouch.prover.files import CircuitFiles
from vouch.prover.srs import ReferenceString
from vouch.prover.toolchain import Toolchain


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return zk.toolchain()


@pytest.fixture(scope="session")
def string() -> ReferenceString:
    return zk.string()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def small(tmp_path_factory: pytest.TempPathFactory) -> zk.Small:
    return await zk.small(tmp_path_factory.mktemp("small"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def files(tmp_path_factory: pytest.TempPathFactory) -> CircuitFiles:
    """Circuits of the small model for one and for two runs; whoever asks for it is slow."""
    return await circuits.folder(tmp_path_factory.mktemp("open") / "circuit", 1, 2)
