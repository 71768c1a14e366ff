"""A devnet whose answers are proven: two circuits, a prover, a challenger, a liar, and a pool that lends."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from vouch.chain.deploy import create
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call
from vouch.cli import devnet_zk
from vouch.cli.devnet import RISK, Devnet, Plan, Progress, devnet, max_risk, register
from vouch.cli.gap_net import FUNDS, NOWHERE, PROVE_WITHIN, until
from vouch.cli.instant_loan import InstantLoan
from vouch.cli.played import Played
from vouch.cli.zk_models import Compiled
from vouch.client import Answer, Client
from vouch.protocol.manifest import Manifest
from vouch.protocol.zk import Circuit
from vouch.prover.service.client import Item, ProofState, ProofTask, ProverClient, ProverRefused

CHALLENGER, LIAR = "challenger", "liar"


@dataclass(frozen=True, slots=True)
class ZkNet(Played):
    """circuits: by the models' names; `client` only reads."""

    circuits: Mapping[str, Compiled]
    pool: InstantLoan
    client: Client
    prover: ProverClient

    @property
    def parties(self) -> Mapping[str, str]:
        accounts = self.net.accounts
        return {
            "borrower": accounts["user"].address,
            "pool": self.pool.address,
            "operator": accounts["operator"].address,
            "relayer": accounts["relayer"].address,
            CHALLENGER: accounts[CHALLENGER].address,
            LIAR: accounts[LIAR].address,
        }

    def manifest(self, model: str) -> Manifest:
        return self.circuits[model].files.manifest

    def circuit(self, model: str) -> Circuit:
        """The one that proves a single inference."""
        return self.circuits[model].files.of(1).circuit

    def task(self, answer: Answer) -> ProofTask:
        """What the relayer asks the prover service for."""
        item = Item(answer.id, answer.asked.input, answer.output_bytes)
        return self.task_of(answer.asked.manifest, answer.operator, item)

    def task_of(self, manifest: Manifest, operator: str, item: Item) -> ProofTask:
        """The same for any operator."""
        place, (_, circuit) = self.net.deployment, devnet_zk.terms_of(manifest)
        return ProofTask(place.chain_id, place.hub, operator, manifest.model_id, circuit, (item,))

    async def knows(self, task: ProofTask) -> bool:
        """Whether the prover service was ever asked for this proof. Raises as ProverClient."""
        try:
            await self.prover.get(task.id)
        except ProverRefused as refused:
            if refused.name != "UnknownProof":
                raise
            return False
        return True

    async def prove(self, task: ProofTask) -> bytes:
        """A seal from the prover service. Raises Overdue, and as ProverClient."""
        await self.prover.submit(task)

        async def done() -> bool:
            return (await self.prover.get(task.id)).state is ProofState.DONE

        await until(done, "a proof by the prover service")
        seal = (await self.prover.get(task.id)).seal
        assert seal is not None, "it is done"
        return seal


@asynccontextmanager
async def zk_net(folder: Path, circuits: Sequence[Compiled], progress: Progress) -> AsyncIterator[ZkNet]:
    """Starts everything, and stops it at the end. As `devnet`."""
    async with AsyncExitStack() as stack:
        folders = tuple(each.files.folder for each in circuits)
        plan = Plan(folder, folder / "deployments", circuits=folders, accounts=(CHALLENGER, LIAR))
        net = await stack.enter_async_context(devnet(plan, progress))
        progress("registering a second operator: it has a stake, and no node")
        await register(net, LIAR, NOWHERE)
        progress("deploying and funding InstantLoan, a pool that lends on a provisional answer")
        pool = await _pool(net)
        assert net.prover_url is not None, "there are circuits"
        prover = await stack.enter_async_context(ProverClient(net.prover_url))
        client = await stack.enter_async_context(Client(net.rpc, deployment=net.deployment, poll=0.05))
        yield ZkNet(net, {each.name: each for each in circuits}, pool, client, prover)


async def _pool(net: Devnet) -> InstantLoan:
    sender, risk = TxSender(net.rpc, net.accounts["owner"]), net.models[RISK]
    terms = (*devnet_zk.terms_of(risk), max_risk(risk), PROVE_WITHIN)
    made = await create(sender, "InstantLoan", net.deployment.hub, risk.model_id, *terms)
    assert made.contract is not None, "a successful creation has an address"
    await sender.transact(Call(made.contract, b"", FUNDS))
    return InstantLoan(net.rpc, made.contract)
