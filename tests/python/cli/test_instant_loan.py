"""InstantLoan's own words: the contract has the same."""

import re
from pathlib import Path

from vouch.chain.account import LocalKey
from vouch.chain.deploy import create
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.cli.devnet import risk_model
from vouch.cli.gap_stage import AMOUNT, BOND
from vouch.cli.instant_loan import CALLBACK_GAS, CALLBACKS, InstantLoan, Loan, Stage
from vouch.cli.sources import onnx_manifest
from vouch.client import Client
from vouch.protocol.quorum import QUORUM
from vouch.protocol.request import NATIVE

SOURCE = Path(__file__).parents[3] / "contracts" / "examples" / "InstantLoan.sol"


def test_the_stages_are_those_of_the_contract() -> None:
    (body,) = re.findall(r"enum Stage \{(.*?)\}", SOURCE.read_text(), flags=re.DOTALL)
    names = re.findall(r"^\s*(\w+),?(?: //.*)?$", body, flags=re.MULTILINE)
    assert [stage.name for stage in Stage] == [name.upper() for name in names]


async def test_a_loan_that_was_asked_for(
    rpc: Rpc, deployment: Deployment, accounts: tuple[LocalKey, ...]
) -> None:
    manifest = onnx_manifest(risk_model(), "risk")
    async with Client(rpc, accounts[0], deployment=deployment) as client:
        await client.publish(manifest)
        sender = TxSender(rpc, accounts[5])
        made = await create(
            sender, "InstantLoan", deployment.hub, manifest.model_id, QUORUM, b"\1" * 32, 10**17, 600
        )
        assert made.contract is not None
        pool = InstantLoan(rpc, made.contract)
        receipt = await sender.transact(pool.ask(AMOUNT, [1, 2, 3, 4, 5], NATIVE, 77))
        (log,) = [log for log in receipt.logs if log.address == deployment.hub]
        asked = await client.find(log.topics[1])
    assert await pool.loan(asked.id) == Loan(accounts[5].address, Stage.ASKED, False, 77, AMOUNT)
    assert (asked.request.exposure, asked.request.bond) == (AMOUNT, BOND)
    assert (asked.request.callback_gas, asked.request.callbacks) == (CALLBACK_GAS, CALLBACKS)
    assert await pool.loan(bytes(32)) == Loan(NATIVE, Stage.NONE, False, 0, 0)
