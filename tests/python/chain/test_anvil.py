import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from vouch.chain import anvil as module
from vouch.chain.anvil import Anvil, AnvilFailed, AnvilMissing, find
from vouch.chain.rpc import Rpc, RpcUnavailable


def alive(pid: int) -> bool:
    # A process that ended, but was not waited for, still has its entry.
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_accounts_are_rich_and_urls_work() -> None:
    async with Anvil() as chain, Rpc(chain.http_url) as http, Rpc(chain.ws_url) as ws:
        listed = await http.call("eth_accounts")
        assert [key.address.lower() for key in chain.accounts] == listed
        assert int(await ws.call("eth_getBalance", listed[9], "latest"), 16) == 10_000 * 10**18


async def test_it_ends_with_the_block_and_with_an_error_inside() -> None:
    pids = []

    async def use(*, broken: bool) -> Anvil:
        async with Anvil() as chain:
            pids.append(chain.pid)
            if broken:
                raise RuntimeError("inside")
            return chain

    with pytest.raises(RuntimeError, match="inside"):
        await use(broken=True)
    chain = await use(broken=False)
    assert not any(alive(pid) for pid in pids)
    async with Rpc(chain.http_url) as rpc:
        with pytest.raises(RpcUnavailable):
            await rpc.call("eth_chainId")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no parent-death signal")
async def test_it_ends_with_a_parent_that_is_killed() -> None:
    program = (
        "import asyncio, sys\n"
        "from vouch.chain.anvil import Anvil\n"
        "async def main():\n"
        "    async with Anvil() as chain:\n"
        "        print(chain.pid, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, env=env
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert alive(pid)
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    for _ in range(1500):
        if not alive(pid):
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"anvil {pid} outlived its parent")


async def test_block_time_and_chain_id() -> None:
    async with Anvil(block_time=1, chain_id=77) as chain, Rpc(chain.http_url) as rpc:
        assert int(await rpc.call("eth_chainId"), 16) == 77
        async with asyncio.timeout(30):
            while int(await rpc.call("eth_blockNumber"), 16) < 1:  # noqa: ASYNC110 - nobody sets an event
                await asyncio.sleep(0.1)


async def test_the_state_comes_back(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    async with Anvil(state=state) as chain, Rpc(chain.http_url) as rpc:
        await rpc.call("anvil_mine", "0x5")
    async with Anvil(state=state) as chain, Rpc(chain.http_url) as rpc:
        assert int(await rpc.call("eth_blockNumber"), 16) == 5


async def test_what_anvil_says_when_it_cannot_start() -> None:
    with pytest.raises(AnvilFailed, match="unexpected argument '--nonsense'") as caught:
        async with Anvil(args=["--nonsense"]):
            pass
    assert caught.value.code == 2
    async with Anvil() as first:
        with pytest.raises(AnvilFailed, match=r"(?i)address already in use"):
            async with Anvil(first.port):
                pass


def test_where_it_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "anvil"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("VOUCH_ANVIL", str(program))
    assert find() == str(program)
    monkeypatch.setenv("VOUCH_ANVIL", str(tmp_path / "none"))
    with pytest.raises(AnvilMissing, match="set VOUCH_ANVIL"):
        find()
    monkeypatch.delenv("VOUCH_ANVIL")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "a/b/c/d/anvil.py"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find() == str(program)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(AnvilMissing):
        find()
