"""Sums and the table of balances; what the chain says about them."""

from rich.console import Console

from vouch.chain.account import LocalKey
from vouch.chain.contracts import Hub, NodeRegistry
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call
from vouch.cli.balances import (
    Balances,
    Holding,
    Sent,
    balances,
    ether,
    gas_of,
    missing,
    table,
    transactions,
    uncovered,
)

BEFORE = Balances(1, hub=50, of={"user": Holding(900), "operator": Holding(100, credit=10, stake=40)})


def test_what_one_gains_another_has_lost() -> None:
    after = Balances(5, hub=60, of={"user": Holding(880), "operator": Holding(103, credit=10, stake=50)})
    assert missing(BEFORE, after, gas=7) == 0
    assert missing(BEFORE, after, gas=6) == 1
    assert uncovered(BEFORE, after) == 0


def test_the_hub_must_hold_what_it_owes() -> None:
    after = Balances(5, hub=50, of={"user": Holding(900), "operator": Holding(100, credit=11, stake=40)})
    assert uncovered(BEFORE, after) == 1
    assert missing(BEFORE, after, gas=0) == 0


def lines(before: Balances, after: Balances, gas: dict[str, int]) -> list[list[str]]:
    """Cells by line; two spaces lie between cells."""
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table(before, after, gas))
    shown = [line.split("  ") for line in capture.get().splitlines()]
    return [[cell.strip() for cell in line if cell.strip()] for line in shown]


def test_the_table_shows_everybody_to_the_wei() -> None:
    after = Balances(5, hub=60, of={"user": Holding(879), "operator": Holding(93, credit=10**18, stake=40)})
    assert lines(BEFORE, after, {"user": 20, "operator": 7}) == [
        ["who", "where", "before", "after", "gas", "change but for gas"],
        [
            "user",
            "wallet",
            "0.0000000000000009",
            "0.000000000000000879",
            "0.00000000000000002",
            "-0.000000000000000001",
        ],
        ["operator", "wallet", "0.0000000000000001", "0.000000000000000093", "0.000000000000000007", "-"],
        ["credit in the hub", "0.00000000000000001", "1", "+0.99999999999999999"],
        ["stake", "0.00000000000000004", "0.00000000000000004", "-"],
    ]


def test_ether_is_exact() -> None:
    assert [ether(amount) for amount in (0, 1, 10**18, -(15 * 10**17), 10**22 + 1)] == [
        "0",
        "0.000000000000000001",
        "1",
        "-1.5",
        "10000.000000000000000001",
    ]


def test_gas_is_that_of_the_sender() -> None:
    sent = [Sent("0xa", "ask", 5, 50), Sent("0xb", "deliver", 7, 70), Sent("0xa", "", 1, 10)]
    assert (gas_of(sent, "0xa"), gas_of(sent, "0xb"), gas_of(sent, "0xc")) == (60, 70, 0)


async def test_balances_and_transactions_are_those_of_the_chain(
    rpc: Rpc, deployment: Deployment, accounts: tuple[LocalKey, ...]
) -> None:
    user, operator = accounts[5], accounts[6]
    parties = {"user": user.address, "operator": operator.address}
    before = await balances(rpc, deployment, parties)
    assert before.of["operator"].stake == 0
    sending = TxSender(rpc, operator)
    await sending.transact(NodeRegistry(rpc, deployment.nodes).stake(77))
    await sending.transact(Hub(rpc, deployment.hub).deposit(5, operator.address))
    receipt = await TxSender(rpc, user).transact(Call(operator.address, b"", 1000))
    after = await balances(rpc, deployment, parties)
    sent = await transactions(rpc, before.block + 1, after.block, ["InferenceHub"])

    assert [(tx.sender, tx.does) for tx in sent] == [
        (operator.address, ""),  # the registry's, which was not asked for
        (operator.address, "deposit"),
        (user.address, ""),
    ]
    assert sent[2].gas == 21_000
    assert sent[2].cost == 21_000 * receipt.gas_price
    gas = {name: gas_of(sent, address) for name, address in parties.items()}
    assert before.of["user"].wallet - after.of["user"].wallet == 1000 + gas["user"]
    wallet = before.of["operator"].wallet + 1000 - 82 - gas["operator"]
    assert after.of["operator"] == Holding(wallet, credit=5, stake=77)
    assert after.of["operator"].total == wallet + 82
    assert after.block - before.block == 3
    assert missing(before, after, sum(gas.values())) == 0
    assert uncovered(before, after) == 0
    assert missing(before, after, 0) == sum(gas.values())
