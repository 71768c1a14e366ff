import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import httpx
import pytest

from tests.python.node.asking import KEY, Watched, body
from tests.python.node.conftest import RunNode
from tests.python.runtimes import graphs
from vouch.node.config import NodeConfig
from vouch.node.service import serve
from vouch.runtimes.base import ArtefactChanged, RuntimeUnavailable
from vouch.runtimes.derive import manifest_from_onnx
from vouch.runtimes.echo import EchoRuntime, echo_manifest
from vouch.runtimes.onnx import OnnxRuntime
from vouch.web.errors import AddressInUse

REPO = Path(__file__).parents[3]


async def test_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressInUse, match="--port") as refused:
            await serve(NodeConfig((), tmp_path / "journal", port=port), stop=asyncio.Event())
    assert refused.value.port == port


async def test_changed_artefact_stops_the_start(tmp_path: Path) -> None:
    path = graphs.layers(tmp_path / "layers.onnx")
    runtime = OnnxRuntime(path, manifest_from_onnx(path, "layers"))
    graphs.layers(path, seed=2)
    with pytest.raises(ArtefactChanged):
        await serve(NodeConfig((("layers", runtime),), tmp_path / "journal", port=0), stop=asyncio.Event())


async def test_model_server_that_is_down_does_not_stop_the_start(
    run_node: RunNode, caplog: pytest.LogCaptureFixture
) -> None:
    runtime = Watched()
    runtime.obstacle = RuntimeUnavailable("watched", "down")
    async with run_node(runtime) as client:
        assert (await client.get("/v2/health/live")).status_code == 200
        assert (await client.get("/v2/health/ready")).status_code == 503
    assert "watched is not ready" in caplog.text


async def test_questions_under_way_are_answered_before_the_end(tmp_path: Path) -> None:
    runtime = Watched()
    runtime.go.clear()
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    config = NodeConfig((("watched", runtime),), tmp_path / "journal", KEY, port=0)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(serve(config, ready=url.set_result, stop=stop))
        async with httpx.AsyncClient(base_url=await url, trust_env=False) as client:
            asked = body(b"hello", runtime.manifest.model_id)
            asking = asyncio.create_task(client.post("/vouch/v1/answers", json=asked))
            async with asyncio.timeout(30):
                await runtime.begun.acquire()
            stop.set()
            await asyncio.sleep(0.2)
            assert not serving.done()
            runtime.go.set()
            assert (await asking).status_code == 200
    assert runtime.closed == 1


async def test_cancelled_service_frees_its_port(tmp_path: Path) -> None:
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    config = NodeConfig((("echo", EchoRuntime()),), tmp_path / "journal", KEY, port=0)
    serving = asyncio.create_task(serve(config, ready=url.set_result))
    port = httpx.URL(await url).port
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert port is not None
    with socket.create_server(("127.0.0.1", port)):
        pass


PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.python.node.asking import KEY
from vouch.node.config import NodeConfig
from vouch.node.service import serve
from vouch.runtimes.echo import EchoRuntime

config = NodeConfig((("echo", EchoRuntime()),), Path(sys.argv[1]), KEY, port=0)
asyncio.run(serve(config, ready=lambda url: print(url, flush=True)))
print("closed", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_signals_end_the_process_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{REPO / 'python'}:{REPO}"}
    node = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(tmp_path / "journal"),
        stdout=asyncio.subprocess.PIPE, env=environment, cwd=REPO,
    )  # fmt: skip
    assert node.stdout is not None
    try:
        url = (await node.stdout.readline()).decode().strip()
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            reply = await client.post("/vouch/v1/answers", json=body(b"hello", echo_manifest().model_id))
            assert reply.status_code == 200
        node.send_signal(number)
        assert (await node.stdout.read()).decode().strip() == "closed"
        assert await node.wait() == 0
    finally:
        if node.returncode is None:
            node.kill()
            await node.wait()
