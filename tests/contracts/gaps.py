"""Requests inside of their trust gap, and books that say exactly whose money moved.

The roles of `World`, in a gap: `owner` is the consumer, `operator` delivers, `rival` challenges, and
`stranger` sends what anybody may send.
"""

from dataclasses import dataclass
from typing import Any

from tests.support.contract import Contract
from tests.support.world import OUTPUT, World
from vouch.protocol.keccak import keccak
from vouch.protocol.request import NATIVE, Request

# No sum of some of them, and of the fee, is a sum of others: every payment shows what it is made of.
EXPOSURE = 7 * 10**13
BOND = 3 * 10**12

WINDOW = 600
PROVE_WITHIN = 300
REFUND = "0x00000000000000000000000000000000000000Fe"


@dataclass(frozen=True, slots=True)
class Open:
    """A delivered request and its moments, unix seconds."""

    terms: Request
    delivered_at: int
    challenged_at: int = 0

    @property
    def challenge_by(self) -> int:
        return self.delivered_at + self.terms.window

    @property
    def prove_by(self) -> int:
        return (self.challenged_at or self.delivered_at) + self.terms.prove_within


async def currency(world: World, *, native: bool) -> str:
    """The native token; or an ERC-20 one of which owner and rival have credit, and the operator may stake."""
    if native:
        return NATIVE
    token = await world.token()
    for who in (world.owner, world.rival):
        await world.send(world.hub.deposit(10**17, who.address, token.address))
    await world.send(token.call("mint", world.operator.address, 10**17))
    await world.send(token.call("approve", world.nodes.address, 10**17), world.operator)
    return token.address


async def asked(world: World, consumer: Contract | None = None, **changes: Any) -> Request:
    """Asked on terms that allow a gap, with a stake that covers it exactly."""
    insured: dict[str, Any] = {
        "exposure": EXPOSURE,
        "bond": BOND,
        "window": WINDOW,
        "prove_within": PROVE_WITHIN,
    }
    if consumer is not None:
        insured["consumer"] = consumer.address
    terms = await world.terms(**insured | changes)
    if terms.exposure + terms.bond:
        await world.send(world.nodes.stake(terms.exposure + terms.bond, terms.token), world.operator)
    await world.ask(terms, consumer)
    return terms


async def delivered(
    world: World, consumer: Contract | None = None, *, output: bytes = OUTPUT, **changes: Any
) -> Open:
    terms = await asked(world, consumer, **changes)
    time = await world.now() + 5
    await world.send_at(time, world.delivery(terms, output), world.stranger)
    return Open(terms, time)


async def challenged(world: World, consumer: Contract | None = None, **changes: Any) -> Open:
    """By the rival, seven seconds after the delivery."""
    gap = await delivered(world, consumer, **changes)
    time = gap.delivered_at + 7
    await world.send_at(time, world.hub.challenge(*world.result(gap.terms)), world.rival)
    return Open(gap.terms, gap.delivered_at, time)


async def tombstoned(world: World, gap: Open) -> Open:
    """The same, but its proof can never be checked any more."""
    await world.send(world.router.tombstone(gap.terms.route))
    return gap


async def challenge_slots(world: World, terms: Request) -> int:
    """What the hub keeps of a challenge: slot 0 is the ledger, 1 the records, 2 the challenges."""
    key = keccak(world.id(terms) + (2).to_bytes(32, "big"))
    return int(await world.rpc.call("eth_getStorageAt", world.hub.address, key, "latest"), 16)


@dataclass(frozen=True, slots=True)
class Books:
    """Every party's credit and stake, and what the hub holds, in the native token and in `token`."""

    world: World
    token: str
    more: dict[str, str]
    entries: dict[str, int]

    async def moved(self) -> dict[str, int]:
        """What is another amount by now, and by how much; names of native entries end in "native"."""
        now = await _entries(self.world, self.token, self.more)
        return {name: now[name] - was for name, was in self.entries.items() if now[name] != was}


async def books(world: World, token: str = NATIVE, **more: str) -> Books:
    """`more` names further accounts."""
    return Books(world, token, more, await _entries(world, token, more))


async def _entries(world: World, token: str, more: dict[str, str]) -> dict[str, int]:
    entries = await _entries_in(world, token, more)
    if token != NATIVE:
        native = await _entries_in(world, NATIVE, more)
        entries |= {f"{name}, native": amount for name, amount in native.items()}
    return entries


async def _entries_in(world: World, token: str, more: dict[str, str]) -> dict[str, int]:
    roles = ("owner", "operator", "rival", "stranger")
    accounts = {role: getattr(world, role).address for role in roles} | {"registry": world.nodes.address}
    entries = {name: await world.hub.credit_of(address, token) for name, address in (accounts | more).items()}
    for role in roles:
        stake = await world.nodes.stake_of(accounts[role], token)
        parts = {"bonded": stake.bonded, "exposed": stake.exposed, "unbonding": stake.unbonding}
        entries |= {f"{role}'s {part}": amount for part, amount in parts.items()}
    entries["hub"] = await _held(world, token)
    return entries


async def _held(world: World, token: str) -> int:
    if token == NATIVE:
        return await world.balance(world.hub.address)
    return int(await Contract(world.rpc, "HostileToken", token).read("balanceOf", world.hub.address))
