"""Who has what, before and after; all amounts in wei."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from vouch.chain.abi import artefact, function
from vouch.chain.contracts import Hub, NodeRegistry
from vouch.chain.deployment import Deployment
from vouch.chain.hexes import to_bytes
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import Receipt


@dataclass(frozen=True, slots=True)
class Holding:
    """What one account has in its wallet, as credit in the hub, and as stake; `locked` is a part of stake."""

    wallet: int = 0
    credit: int = 0
    stake: int = 0
    locked: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.wallet + self.credit + self.stake


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction in a block: the function it called (empty for one that is not ours), gas and its price
    altogether in wei."""

    sender: str
    does: str
    gas: int
    cost: int


@dataclass(frozen=True, slots=True)
class Balances:
    """What the parties have at a block, by name; `hub` is what the hub's contract holds for all of them."""

    block: int
    hub: int
    of: Mapping[str, Holding]


async def balances(rpc: Rpc, deployment: Deployment, parties: Mapping[str, str]) -> Balances:
    """What the parties (name -> address) have now, all at one block."""
    hub, nodes = Hub(rpc, deployment.hub), NodeRegistry(rpc, deployment.nodes)
    while True:
        block = await _head(rpc)
        found = {}
        for name, address in parties.items():
            stake = await nodes.stake_of(address)
            credit = await hub.credit_of(address)
            found[name] = Holding(await _wallet(rpc, address), credit, stake.bonded, stake.exposed)
        made = Balances(block, await _wallet(rpc, deployment.hub), found)
        if await _head(rpc) == block:
            return made


async def transactions(rpc: Rpc, first: int, last: int, contracts: Sequence[str]) -> list[Sent]:
    """All transactions of these blocks; functions are named from the ABIs of `contracts`."""
    names = {
        function(contract, member["name"]).selector: member["name"]
        for contract in contracts
        for member in artefact(contract).abi
        if member["type"] == "function"
    }
    found = []
    for number in range(first, last + 1):
        block = await rpc.call("eth_getBlockByNumber", hex(number), True)
        receipts = await rpc.call("eth_getBlockReceipts", hex(number))
        for sent, raw in zip(block["transactions"], receipts, strict=True):
            receipt = Receipt.from_rpc(raw)
            does = names.get(to_bytes(sent["input"])[:4], "")
            found.append(Sent(receipt.sender, does, receipt.gas_used, receipt.gas_used * receipt.gas_price))
    return found


def missing(before: Balances, after: Balances, gas: int) -> int:
    """What is gone beside the gas; zero if the parties had to do with each other only."""
    wallets = sum(holding.wallet for holding in before.of.values())
    wallets -= sum(holding.wallet for holding in after.of.values())
    return wallets + before.hub - after.hub - gas


def uncovered(before: Balances, after: Balances) -> int:
    """How much more the hub owes the parties now than it got; zero unless a fee or a bond is in escrow."""
    owed = sum(holding.credit + holding.stake for holding in after.of.values())
    owed -= sum(holding.credit + holding.stake for holding in before.of.values())
    return owed - (after.hub - before.hub)


def gas_of(sent: Iterable[Sent], address: str) -> int:
    """What an account paid for the gas of its transactions."""
    return sum(tx.cost for tx in sent if tx.sender == address)


def table(before: Balances, after: Balances, gas: Mapping[str, int]) -> Table:
    """All parties, in ether, with what each paid for gas; what did not change is dim."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("who", "where"):
        made.add_column(column)
    for column in ("before", "after", "gas", "change but for gas"):
        made.add_column(column, justify="right")
    for who, where, old, new, paid in _rows(before, after, gas):
        change = new - old + paid
        made.add_row(
            who,
            where,
            ether(old),
            ether(new),
            ether(paid) if paid else "",
            f"{'+' if change > 0 else ''}{ether(change)}" if change else "-",
            style="dim" if old == new else "",
        )
    return made


def ether(amount: int) -> str:
    """Wei as ether, exact."""
    whole, part = divmod(abs(amount), 10**18)
    return f"{'-' if amount < 0 else ''}{whole}{f'.{part:018d}'.rstrip('0').rstrip('.')}"


def _rows(
    before: Balances, after: Balances, gas: Mapping[str, int]
) -> Iterator[tuple[str, str, int, int, int]]:
    """Wallets of all; credit and stake of those who have or had any."""
    for who, old in before.of.items():
        new = after.of[who]
        yield who, "wallet", old.wallet, new.wallet, gas.get(who, 0)
        if old.credit or new.credit:
            yield "", "credit in the hub", old.credit, new.credit, 0
        if old.stake or new.stake:
            yield "", "stake", old.stake, new.stake, 0


async def _head(rpc: Rpc) -> int:
    return int(await rpc.call("eth_blockNumber"), 16)


async def _wallet(rpc: Rpc, address: str) -> int:
    return int(await rpc.call("eth_getBalance", address, "latest"), 16)
