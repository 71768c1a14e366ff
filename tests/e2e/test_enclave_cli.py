"""`vouch node --enclave dev` and `vouch relayer` as processes: what an operator reads of an enclave's key."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.e2e.enclave_world import IMAGE, EnclaveWorld, enclave_world, health, says
from tests.e2e.relayer_world import ended, until
from vouch.chain.contracts import ModelRegistry
from vouch.relayer.job import JobStatus
from vouch.relayer.store import Store
from vouch.runtimes.echo import EchoRuntime
from vouch.web.ports import free_port

OPERATOR = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
RELAYER = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
"""Anvil's accounts 1 and 2."""
VOUCH = (sys.executable, "-m", "vouch.cli.main")


@asynccontextmanager
async def running(
    key: str, folder: Path, *arguments: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.StreamReader]]:
    process = await asyncio.create_subprocess_exec(
        *VOUCH,
        *arguments,
        cwd=folder,
        env={**os.environ, "VOUCH_KEY": key},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def line_with(lines: asyncio.StreamReader, text: str) -> str:
    """The next line that says so."""
    while line := (await lines.readline()).decode():
        if text in line:
            return line.strip()
    raise AssertionError(f"nothing said {text!r}")


def relayer(e: EnclaveWorld, folder: Path, node: str, *more: str) -> list[str]:
    where = ["--rpc", e.w.anvil.http_url, "--ws", e.w.anvil.ws_url, "--node", node]
    kept = ["--deployments", str(folder / "deployments"), "--database", str(folder / "relayer.sqlite")]
    return ["relayer", *where, *kept, *more]


async def _published(e: EnclaveWorld, folder: Path) -> None:
    e.w.deployment.save(folder / "deployments")
    models, manifest = ModelRegistry(e.w.rpc, e.w.deployment.models), EchoRuntime().manifest
    await e.w.sender(0).transact(models.publish(manifest.name, bytes(manifest)))


async def test_two_commands_and_the_key_is_in(tmp_path: Path) -> None:
    port, status = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    enclave = ["--enclave", "dev", "--dev-authority", str(tmp_path / "authority")]
    async with enclave_world(tmp_path) as e:
        await _published(e, tmp_path)
        served = ["node", "--echo", EchoRuntime().manifest.name, *enclave, "--port", str(port)]
        async with running(OPERATOR, tmp_path, *served) as (_, said):
            key = (await line_with(said, "dev enclave: key ")).split()[3]
            off = relayer(e, tmp_path, url, "--no-enclave-registration")
            async with running(RELAYER, tmp_path, *off) as (_, lines):
                await line_with(lines, "status not served")
                asked = await e.ask()
                with Store(tmp_path / "relayer.sqlite", read_only=True) as store:
                    await until(lambda: _says(store, asked, "see `vouch attest`"))
            on = relayer(e, tmp_path, url, "--status-port", str(status), "--enclave-margin", "5000")
            async with running(RELAYER, tmp_path, *on) as (_, lines):
                line = await line_with(lines, f"enclave key {key} (dev, secp256k1) of {url}, image")
                assert f"image 0x{IMAGE.hex()}, is registered until 20" in line
                assert ", attested anew from 20" in line
                with Store(tmp_path / "relayer.sqlite", read_only=True) as store:
                    await ended(store, asked, JobStatus.DONE, seconds=30)
                told = (await health(status))["enclaves"][url]
                assert (told["kind"], told["key"], told["registered"]) == ("dev", key, True)
                assert told["expiry"] - told["renewal"] == 5_000
                assert await e.w.fulfilments() == 2


async def _says(store: Store, request: bytes, text: str) -> bool:
    return says(store, request, text)
