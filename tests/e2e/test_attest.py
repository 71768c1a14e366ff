"""`vouch attest` on a real chain, from a development authority to a key that counts and to its end."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e import terminal
from vouch.attestation.document import Document, parse
from vouch.attestation.verify import AWS_ROOT
from vouch.chain.anvil import Anvil
from vouch.chain.rpc import Rpc
from vouch.cli.enclave_chain import EnclaveChain, enclave_chain
from vouch.protocol.enclave import EnclaveIdentity
from vouch.protocol.keccak import keccak

pytestmark = pytest.mark.slow

OWNER = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
OPERATOR = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
PAYER = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
"""Anvil's accounts 0, 1 and 2."""
AUTHORITY = ("--dev-authority", "authority")
SENT = re.compile(r"^  (.+): [\d,]+ gas, transaction 0x", re.MULTILINE)


@dataclass
class Desk:
    """A folder in which commands are typed, and a chain."""

    folder: Path
    anvil: Anvil

    async def type(self, *words: str, key: str | None = PAYER, code: int = 0) -> str:
        """A command of `vouch` that ends with this code; what it printed."""
        environment = {"VOUCH_RPC": self.anvil.http_url} | ({} if key is None else {"VOUCH_KEY": key})
        done = await asyncio.to_thread(terminal.vouch, self.folder, *words, **environment)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    async def start(self, *words: str, key: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "vouch.cli.main", *words,
            cwd=self.folder,
            env={**terminal.CLEAN, "VOUCH_RPC": self.anvil.http_url, "VOUCH_KEY": key},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    async def transactions(self, account: int = 2) -> int:
        async with Rpc(self.anvil.http_url) as rpc:
            address = self.anvil.accounts[account].address
            return int(await rpc.call("eth_getTransactionCount", address, "latest"), 16)

    async def fetch(self, node: str) -> Document:
        """A fresh document, also in the file `enclave.doc`."""
        await self.type("attest", "fetch", "--node", node, "-o", "enclave.doc", key=None)
        return parse(await asyncio.to_thread((self.folder / "enclave.doc").read_bytes))


@pytest_asyncio.fixture(loop_scope="session")
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """On a chain that trusts the authority in the folder `authority`, which `vouch deploy` made."""
    async with Anvil() as anvil:
        made = Desk(tmp_path, anvil)
        deployed = await made.type("deploy", *AUTHORITY, key=OWNER)
        assert re.search(r"name +vouch-dev\n", deployed)
        assert re.search(r"enclave root +not AWS's, 0x[0-9a-f]{64}: for development", deployed)
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def node(desk: Desk) -> AsyncIterator[str]:
    """URL of a node that says it is in an enclave."""
    process = await desk.start(
        "node", "--echo", "mirror", "--enclave", "dev", *AUTHORITY, "--port", "0", key=OPERATOR
    )
    try:
        yield await said(process, r"ready at (http://\S+?),")
    finally:
        process.terminate()
        await process.wait()


async def said(process: asyncio.subprocess.Process, pattern: str) -> str:
    """The first group in the next line that has it."""
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while line := (await process.stdout.readline()).decode():
            if found := re.search(pattern, line):
                return found[1]
    raise AssertionError(f"nothing said {pattern}")


def key_of(document: Document) -> str:
    return EnclaveIdentity.from_spki(document.public_key or b"").id


async def verified(chain: EnclaveChain, document: Document) -> int:
    return await chain.verified([keccak(der) for der in document.certificates])


async def test_step_by_step_killed_in_the_middle_and_run_again(desk: Desk, node: str) -> None:
    document = await desk.fetch(node)
    key = key_of(document)
    register = ("attest", "register", "enclave.doc")
    working = await desk.start(*register, "--step-by-step", key=PAYER)
    await said(working, r"(certificate 2 of 4): [\d,]+ gas, transaction 0x")
    os.kill(working.pid, signal.SIGKILL)
    assert await working.wait() == -signal.SIGKILL

    async with enclave_chain(desk.anvil.http_url, desk.folder / "deployments") as chain:
        done, sent = await verified(chain, document), await desk.transactions()
        assert (done, sent) == (2, 2)
        assert not (await chain.keys.key_of(key)).known
        assert "was never registered here" in await desk.type("attest", "key", key, key=None, code=1)

        shown = await desk.type(*register, "--step-by-step")
        assert "2 of 4 certificates are verified on chain already" in shown
        assert SENT.findall(shown) == ["certificate 3 of 4", "certificate 4 of 4", "key"]
        assert await desk.transactions() == 5
        known = await chain.keys.key_of(key)
        assert (known.image_id, known.operator) == (document.image_id, desk.anvil.accounts[1].address)

    again = await desk.type(*register)
    assert f"key {key} is registered until" in again
    assert "nothing to do" in again
    assert await desk.transactions() == 5, "nothing was sent"
    told = json.loads(await desk.type("attest", "key", key, "--json", key=None))
    assert (told["known"], told["counts"], told["revoked"]) == (True, True, False)


async def test_at_once_and_then_its_end(desk: Desk, node: str) -> None:
    document = await desk.fetch(node)
    key = key_of(document)
    shown = await desk.type("attest", "register", "enclave.doc", "--hints", "hints.json")
    assert SENT.findall(shown) == ["key"]
    assert shown.count("hints made for") == 5
    assert await desk.transactions() == 1
    image = await desk.type("attest", "image", "enclave.doc", key=None)
    shown = await desk.type("attest", "key", key, key=None)
    assert f"image     {image.strip()} " in shown
    assert "for 2:5" in shown

    refused = await desk.type("attest", "revoke", key, code=1)
    assert "use that operator's --key-file" in refused
    assert f"key {key} is revoked" in await desk.type("attest", "revoke", key, key=OPERATOR)
    assert "and never will again" in await desk.type("attest", "key", key, key=None)
    assert "is revoked already" in await desk.type("attest", "revoke", key, key=OPERATOR, code=1)
    assert "KeyIsRevoked" in await desk.type("attest", "register", "enclave.doc", code=1)
    unknown = "0x" + "ab" * 20
    assert "nothing to revoke" in await desk.type("attest", "revoke", unknown, key=OPERATOR, code=1)

    told = json.loads(await desk.type("attest", "explain", "enclave.doc", "--json", key=None))
    zone = told["certificates"][2]
    assert "only its key can revoke" in await desk.type("attest", "revoke-certificate", zone, code=1)
    assert "is revoked" in await desk.type("attest", "revoke-certificate", zone, key=OWNER)
    assert "was revoked at 20" in await desk.type("attest", "revoke-certificate", zone, key=OWNER, code=1)
    await desk.fetch(node)
    assert "CertificateIsRevoked" in await desk.type("attest", "register", "enclave.doc", code=1)
    assert await desk.transactions() == 1, "what is refused here costs nothing"


@pytest.mark.parametrize("how", ["an option", "the chain"])
async def test_what_does_not_fit_one_transaction_is_done_in_steps(desk: Desk, node: str, how: str) -> None:
    await desk.fetch(node)
    options = ["--most-gas", "3000000"]
    if how == "the chain":
        options = []
        async with Rpc(desk.anvil.http_url) as rpc:
            await rpc.call("evm_setBlockGasLimit", hex(3_000_000))
    shown = await desk.type("attest", "register", "enclave.doc", *options)
    assert "step by step" in shown
    assert SENT.findall(shown) == [*(f"certificate {number} of 4" for number in range(1, 5)), "key"]
    assert shown.count("hints made for") == 5, "none is made twice"
    async with Rpc(desk.anvil.http_url) as rpc:
        head = await rpc.call("eth_getBlockByNumber", "latest", False)
        assert int(head["gasUsed"], 16) < 3_000_000


async def test_nodes_that_give_no_document(desk: Desk) -> None:
    fetch = ("attest", "fetch", "-o", "enclave.doc", "--node")
    assert "does not answer as a node" in await desk.type(*fetch, "http://127.0.0.1:9", key=None, code=1)
    plain = await desk.start("node", "--echo", "mirror", "--port", "0", key=OPERATOR)
    try:
        url = await said(plain, r"ready at (http://\S+?),")
        told = await desk.type(*fetch, url, key=None, code=1)
        assert "NotInEnclave: this node does not run in an enclave" in told
    finally:
        plain.terminate()
        await plain.wait()
    assert not await asyncio.to_thread((desk.folder / "enclave.doc").exists)


async def test_whom_a_deployment_trusts(desk: Desk) -> None:
    checked = await desk.type("check", key=None)
    assert re.search(r"ok +enclave root +not AWS's, 0x", checked), checked

    real = ("--deployments", "real")
    deployed = await desk.type("deploy", *real, key=OWNER)
    assert re.search(rf"enclave root +AWS's, 0x{AWS_ROOT.hex()}\n", deployed), deployed
    assert re.search(r"name +vouch\n", deployed)
    assert re.search(r"verifier ENCL +0x", deployed)
    assert re.search(r"EnclaveKeys +0x", deployed)
    assert re.search(rf"enclave root +AWS's, 0x{AWS_ROOT.hex()}", await desk.type("check", *real, key=None))

    without = ("--deployments", "without")
    deployed = await desk.type("deploy", "--no-enclaves", *without, key=OWNER)
    assert "ENCL" not in deployed
    assert "has no enclave route" in await desk.type("check", *without, key=None)
    refused = await desk.type("attest", "key", "0x" + "ab" * 20, *without, key=None, code=1)
    assert "has no enclave route: deploy one with `vouch deploy`" in refused
    await desk.type("deploy", "--no-enclaves", *AUTHORITY, key=OWNER, code=2)


async def test_a_deployment_that_hides_whom_it_trusts(desk: Desk) -> None:
    path = desk.folder / "deployments" / f"{desk.anvil.chain_id}.json"
    text = await asyncio.to_thread(path.read_text)
    await asyncio.to_thread(path.write_text, text.replace("vouch-dev", "vouch"))
    checked = await desk.type("check", key=None, code=1)
    assert re.search(r"FAILED +enclave root", checked), checked
    assert "does not say dev" in checked
