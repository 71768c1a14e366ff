"""A node on a free port, reached over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.python.node.asking import KEY
from vouch.node.config import NodeConfig
from vouch.node.service import serve
from vouch.runtimes.base import Runtime

RunNode = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


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
