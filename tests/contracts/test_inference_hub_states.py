# Which call does what in which state, as tables: every state that a request can be in, every call about it.
# "ok" succeeds, "-" is WrongStatus, everything else is another error. What a call does is in its own file.

from collections.abc import Awaitable, Callable

import pytest

from tests.contracts.gaps import PROVE_WITHIN, WINDOW, asked, challenged, delivered, tombstoned
from tests.contracts.test_inference_hub_equivocation import TWO, report
from tests.support.world import INPUT, MANIFEST, OUTPUT, World
from vouch.chain.reverts import Reverted
from vouch.chain.transaction import Call
from vouch.protocol.request import Request
from vouch.protocol.status import Status

# dead: the route was withdrawn. late: one second after the deadline that runs; else in its last second.
REQUESTED = """
state      fulfil             deliver            expire
asked      ok                 ok                 DeliverByNotPassed
late       DeliverByPassed    DeliverByPassed    ok
dead       RouteIsTombstoned  RouteIsTombstoned  ok
late,dead  DeliverByPassed    DeliverByPassed    ok
"""
OPEN = """
state                 settle             unsealed         challenge     reject             expireDelivered
unproven              ok                 SealRequired     NoWindow      ProveByNotPassed   RouteIsLive
unproven,late         ProveByPassed      SealRequired     NoWindow      ok                 RouteIsLive
unproven,dead         RouteIsTombstoned  SealRequired     NoWindow      ProveByNotPassed   ok
unproven,late,dead    ProveByPassed      SealRequired     NoWindow      RouteIsTombstoned  ok
window                ok                 WindowNotPassed  ok            NotChallenged      RouteIsLive
window,late           ok                 ok               WindowPassed  NotChallenged      RouteIsLive
window,dead           RouteIsTombstoned  WindowNotPassed  ok            NotChallenged      ok
window,late,dead      RouteIsTombstoned  ok               WindowPassed  NotChallenged      WindowPassed
challenged            ok                 SealRequired     -             ProveByNotPassed   RouteIsLive
challenged,late       ProveByPassed      SealRequired     -             ok                 RouteIsLive
challenged,dead       RouteIsTombstoned  SealRequired     -             ProveByNotPassed   ok
challenged,late,dead  ProveByPassed      SealRequired     -             RouteIsTombstoned  ok
"""

Reached = tuple[Request, int]
"""Terms, and a second in which they are in the state."""


def calls(world: World, terms: Request) -> dict[str, Call]:
    """All that can be said about a request."""
    result = world.result(terms)
    return {
        "request": world.hub.request(terms, INPUT),
        "fulfil": world.fulfilment(terms),
        "deliver": world.delivery(terms),
        "settle": world.settlement(terms),
        "unsealed": world.settlement(terms, seal=b""),
        "challenge": world.hub.challenge(*result),
        "reject": world.hub.reject(*result),
        "report": report(world, terms, OUTPUT, TWO),
        "expire": world.hub.expire(terms),
        "expireDelivered": world.hub.expire_delivered(*result),
        "retryCallback": world.hub.retry_callback(terms, result[1], OUTPUT),
    }


def rows(table: str) -> list[tuple[str, dict[str, str]]]:
    (_, *columns), *states = (line.split() for line in table.strip().splitlines())
    return [(state, dict(zip(columns, cells, strict=True))) for state, *cells in states]


async def outcomes(world: World, reached: Reached, status: Status) -> dict[str, str]:
    """How each call would end now. WrongStatus must name the status."""
    terms, time = reached
    assert await world.hub.status_of(world.id(terms)) == status
    found = {}
    for name, call in calls(world, terms).items():
        try:
            await world.try_at(time, call)
        except Reverted as reverted:
            error = reverted.error
            if error.name == "WrongStatus":
                assert dict(error.args) == {"id": world.id(terms), "status": status}
            found[name] = "-" if error.name == "WrongStatus" else error.name
        else:
            found[name] = "ok"
    return found


def nothing(reached: Reached, error: str = "-") -> dict[str, str]:
    """The outcomes where no call is for the state."""
    terms, time = reached
    answering = ("fulfil", "deliver", "settle", "unsealed")
    ending = ("challenge", "reject", "report", "expire", "expireDelivered")
    again = "RequestExists" if time < terms.deliver_by else "DeadlineInPast"
    return dict.fromkeys(answering + ending, error) | {"request": again, "retryCallback": "NothingToRetry"}


async def test_never_asked(world: World) -> None:
    reached = await world.terms(), await world.now() + 1
    found = await outcomes(world, reached, Status.NONE)
    assert found == nothing(reached, "UnknownRequest") | {"request": "ok"}


@pytest.mark.parametrize(("state", "expected"), rows(REQUESTED))
async def test_requested(world: World, state: str, expected: dict[str, str]) -> None:
    await world.send(world.models.publish("m", MANIFEST))
    terms = await asked(world)
    if "dead" in state:
        await world.send(world.router.tombstone(terms.route))
    reached = terms, terms.deliver_by + ("late" in state)
    found = await outcomes(world, reached, Status.REQUESTED)
    assert found == nothing(reached) | {"report": "ok"} | expected


@pytest.mark.parametrize(("state", "expected"), rows(OPEN))
async def test_open(world: World, state: str, expected: dict[str, str]) -> None:
    if "challenged" in state:
        gap = await challenged(world)
        last = gap.challenged_at + PROVE_WITHIN
    elif "window" in state:
        gap = await delivered(world)
        last = gap.delivered_at + WINDOW
    else:
        gap = await delivered(world, window=0)
        last = gap.delivered_at + PROVE_WITHIN
    if "dead" in state:
        await tombstoned(world, gap)
    status = Status.CHALLENGED if "challenged" in state else Status.DELIVERED
    reached = gap.terms, last + ("late" in state)
    found = await outcomes(world, reached, status)
    assert found == nothing(reached) | {"report": "ok"} | expected


async def fulfilled(world: World) -> Request:
    terms = await asked(world)
    await world.fulfil(terms)
    return terms


async def proven(world: World) -> Request:
    terms = (await challenged(world)).terms
    await world.send(world.settlement(terms))
    return terms


async def unchallenged(world: World) -> Request:
    gap = await delivered(world)
    await world.send_at(gap.challenge_by + 1, world.settlement(gap.terms, seal=b""))
    return gap.terms


async def unanswered(world: World) -> Request:
    terms = await asked(world)
    await world.send_at(terms.deliver_by + 1, world.hub.expire(terms))
    return terms


async def unprovable(world: World) -> Request:
    terms = (await tombstoned(world, await challenged(world))).terms
    await world.send(world.hub.expire_delivered(*world.result(terms)))
    return terms


async def unprovable_and_unchallenged(world: World) -> Request:
    terms = (await tombstoned(world, await delivered(world))).terms
    await world.send(world.hub.expire_delivered(*world.result(terms)))
    return terms


async def rejected(world: World) -> Request:
    gap = await challenged(world)
    await world.send_at(gap.prove_by + 1, world.hub.reject(*world.result(gap.terms)))
    return gap.terms


async def convicted(world: World) -> Request:
    terms = (await delivered(world)).terms
    await world.send(report(world, terms, OUTPUT, TWO))
    return terms


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (fulfilled, Status.SETTLED),
        (proven, Status.SETTLED),
        (unchallenged, Status.SETTLED),
        (unanswered, Status.EXPIRED),
        (unprovable, Status.EXPIRED),
        (unprovable_and_unchallenged, Status.EXPIRED),
        (rejected, Status.REJECTED),
        (convicted, Status.REJECTED),
    ],
)
async def test_an_end_is_the_end(
    world: World, end: Callable[[World], Awaitable[Request]], status: Status
) -> None:
    """However long one waits, with stake for more, and with the bond in the caller's hand."""
    terms = await end(world)
    await world.send(world.nodes.stake(10**15), world.operator)
    for time in (await world.now() + 1, await world.now() + 10**6):
        reached = terms, time
        assert await outcomes(world, reached, status) == nothing(reached)
