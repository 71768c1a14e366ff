"""An operator's life on the command line, against the session's chain."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from vouch.chain.account import LocalKey
from vouch.chain.anvil import Anvil
from vouch.chain.contracts import Hub, NodeRegistry
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call

ETHER = 10**18


class Desk:
    """A folder with a key and the deployment, and the commands typed there."""

    def __init__(self, folder: Path, rpc_url: str, deployment: Deployment) -> None:
        secret = secrets.token_bytes(32)
        self.key, self._folder, self._rpc = LocalKey(secret), folder, rpc_url
        (folder / "operator.key").write_text(secret.hex())
        deployment.save(folder / "deployments")

    def type(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "vouch.cli.main", *words],
            cwd=self._folder,
            env=os.environ | {"VOUCH_RPC": self._rpc, "VOUCH_KEY_FILE": "operator.key"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
async def desk(tmp_path: Path, anvil: Anvil, deployment: Deployment, sender: TxSender) -> Desk:
    made = Desk(tmp_path, anvil.http_url, deployment)
    await sender.transact(Call(made.key.address, b"", 10 * ETHER))
    return made


async def test_from_nothing_to_an_offer_and_out_again(
    desk: Desk, rpc: Rpc, hub: Hub, nodes: NodeRegistry, sender: TxSender
) -> None:
    operator = desk.key.address
    desk.type("model", "describe", "--openai", "some-model", "--name", "chat", "-o", "chat.json")
    published = desk.type("model", "publish", "chat.json")
    model_id = bytes.fromhex(published.split("model id  0x")[1][:64])

    desk.type("operator", "register", "https://node.example")
    assert (await nodes.node_of(operator)).endpoint == "https://node.example"

    desk.type("operator", "price", f"{operator}/chat", "20gwei", "--per-callback-gas", "3")
    price = await nodes.price_of(operator, model_id)
    assert (price.base, price.per_callback_gas) == (20 * 10**9, 3)

    desk.type("operator", "stake", "2ether")
    desk.type("operator", "unbond", "0.5ether")
    stake = await nodes.stake_of(operator)
    assert (stake.bonded, stake.unbonding) == (3 * ETHER // 2, ETHER // 2)
    shown = desk.type("operator", "show", operator)
    assert "https://node.example" in shown
    assert "1.5 ether, 0.5 ether on the way out" in shown
    assert "20 gwei" in shown

    # Stake is not free yet, but credit is.
    await sender.transact(hub.deposit(ETHER, operator))
    desk.type("operator", "withdraw", "--to", "0x00000000000000000000000000000000000000AA")
    assert await hub.credit_of(operator) == 0
    assert await rpc.call("eth_getBalance", "0x00000000000000000000000000000000000000aa", "latest") == hex(
        ETHER
    )
    assert (await nodes.stake_of(operator)).unbonding == ETHER // 2

    await rpc.call("evm_increaseTime", await nodes.unbond_delay())
    await rpc.call("evm_mine")
    desk.type("operator", "withdraw")
    assert (await nodes.stake_of(operator)).unbonding == 0

    desk.type("operator", "drop", f"{operator}/chat")
    desk.type("operator", "retire")
    assert not await nodes.is_registered(operator)
    assert "not registered" in desk.type("operator", "show", operator)


async def test_mistakes_get_one_clear_line(desk: Desk, rpc: Rpc) -> None:
    assert "is no address of a node" in desk.type("operator", "register", "node.example", code=2)
    assert "nothing to withdraw" in desk.type("operator", "withdraw", code=1)
    assert "UnregisteredOperator" in desk.type("operator", "retire", code=1)
    assert "InsufficientStake" in desk.type("operator", "unbond", "1ether", code=1)
    assert "0x" in desk.type("operator", "price", "no-such-model", "1gwei", code=1)
