"""What the tests share that takes long to make."""

import pytest
import pytest_asyncio

from tests.e2e.zk_world import MODEL
from tests.support.circuits import folder_of
from vouch.prover.files import CircuitFiles


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def circuit(tmp_path_factory: pytest.TempPathFactory) -> CircuitFiles:
    """A small model with everything that its proofs take, over the development string."""
    return await folder_of(MODEL, tmp_path_factory.mktemp("circuit") / "small")
