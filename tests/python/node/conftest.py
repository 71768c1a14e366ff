"""A node on a free port, reached over HTTP, and the parts of one without HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.python.node.asking import KEY
from vouch.attestation.dev import DevAuthority
from vouch.attestation.dev_attester import DevAttester
from vouch.node.answers import Answers
from vouch.node.config import NodeConfig
from vouch.node.cosigner import Cosigner
from vouch.node.enclave import DEV_PCRS, Enclave
from vouch.node.enclave_key import EnclaveKind
from vouch.node.journal import Journal
from vouch.node.runs import Runs
from vouch.node.service import serve
from vouch.node.work import SharedWork
from vouch.protocol.enclave import Curve
from vouch.runtimes.base import Runtime
from vouch.runtimes.derive import manifest_from_onnx
from vouch.runtimes.onnx import OnnxRuntime

RISK = Path(str(files("vouch").joinpath("models", "risk.onnx")))
RunNode = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What answers and co-signs in a node."""

    journal: Journal
    work: SharedWork
    runs: Runs
    answers: Answers
    cosigner: Cosigner


OpenParts = Callable[..., AbstractAsyncContextManager[Parts]]


class StartEnclave:
    """`await start_enclave(curve)`: a dev enclave with a new key, as after each start of a node."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.authority = folder, DevAuthority.create(folder=folder)

    async def __call__(self, curve: Curve = Curve.SECP256K1, pcrs: Mapping[int, bytes] = DEV_PCRS) -> Enclave:
        return await Enclave.start(EnclaveKind.DEV, curve, DevAttester(self.folder, pcrs))


@pytest.fixture
def start_enclave(tmp_path: Path) -> StartEnclave:
    return StartEnclave(tmp_path / "authority")


@pytest.fixture
def run_node(tmp_path: Path) -> RunNode:
    """`async with run_node(runtime, ..., **config) as client`: the client's base URL is the node's."""

    @asynccontextmanager
    async def run(*runtimes: Runtime, **config: Any) -> AsyncIterator[httpx.AsyncClient]:
        models = tuple((runtime.manifest.name, runtime) for runtime in runtimes)
        settings: dict[str, Any] = {
            "journal": tmp_path / "journal.sqlite",
            "key": KEY,
            "port": 0,
            "shutdown_seconds": 1.0,
        }
        url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                serve(NodeConfig(models=models, **settings | config), ready=url.set_result, stop=stop)
            )
            try:
                async with httpx.AsyncClient(base_url=await url, timeout=20, trust_env=False) as client:
                    yield client
            finally:
                stop.set()

    return run


@pytest.fixture
def open_parts(tmp_path: Path) -> OpenParts:
    """`async with open_parts(runtime, ..., **config) as parts`; the journal is the same each time."""

    @asynccontextmanager
    async def opened(*runtimes: Runtime, **config: Any) -> AsyncIterator[Parts]:
        settings: dict[str, Any] = {
            "models": tuple((runtime.manifest.name, runtime) for runtime in runtimes),
            "journal": tmp_path / "journal.sqlite",
            "key": KEY,
        }
        made = NodeConfig(**settings | config)
        async with Journal(made.journal) as journal, SharedWork(made.shutdown_seconds) as work:
            runs = Runs(made, journal, work)
            answers, cosigner = Answers(made, journal, runs, work), Cosigner(made, journal, runs)
            yield Parts(journal, work, runs, answers, cosigner)

    return opened


@pytest.fixture(scope="session")
def risk() -> OnnxRuntime:
    """The model that is shipped, by onnxruntime: deterministic, five numbers in and one out."""
    return OnnxRuntime(RISK, manifest_from_onnx(RISK, "risk"))
