"""The quorum that co-signers make: learned, kept, and looked at before stake is put behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from coincurve import PrivateKey

from tests.python.relayer.making import CHAIN_ID, HUB, UNSEALED, make_terms
from tests.support.server import listening
from vouch.chain.hexes import to_hex
from vouch.protocol.quorum import QUORUM, BadPolicy, Policy, SignersNotAscending
from vouch.protocol.seal import address_of
from vouch.relayer.config import CosignerEndpoint, QuorumConfig
from vouch.relayer.cosigners import CosignerPool
from vouch.relayer.errors import NotYet, Refused
from vouch.relayer.peers import Reach
from vouch.relayer.quorum import Quorum
from vouch.relayer.store import Store

ONE, TWO, THREE = sorted(address_of(PrivateKey(bytes([n]) * 32).public_key) for n in (1, 2, 3))
MODEL = make_terms().model_id
NOWHERE = "http://127.0.0.1:1"


def about(signer: str, **changes: Any) -> dict[str, Any]:
    model = {"modelId": to_hex(MODEL), "reproducible": True}
    return {"operator": signer, "routes": ["SIGN", "QRUM"], "cosigns": True, "models": [model]} | changes


@asynccontextmanager
async def node(info: dict[str, Any]) -> AsyncIterator[str]:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(info)

    app = web.Application()
    app.router.add_get("/vouch/v1/info", answer)
    async with listening(app) as url:
        yield url


@asynccontextmanager
async def quorum(
    store: Store, *members: CosignerEndpoint, threshold: int = 2, refresh: bool = True
) -> AsyncIterator[Quorum]:
    reach = Reach(CHAIN_ID, HUB, timeout=2.0, pause=0.05)
    async with CosignerPool(members, reach) as pool:
        if refresh:
            await pool.refresh_all(0.0)
        made = Quorum(QuorumConfig(threshold, members) if members else None, pool, store)
        made.learn()
        yield made


def terms(policy: Policy) -> Any:
    return make_terms(route=QUORUM, trust=policy.trust)


async def test_who_signs_is_asked_for(store: Store) -> None:
    async with node(about(ONE)) as one, node(about(TWO)) as two:
        async with quorum(store, CosignerEndpoint(two), CosignerEndpoint(one)) as known:
            policy = Policy.of(2, (ONE, TWO))
            assert known.policy == policy
            assert known.line == f"quorum 2 of 2 ({ONE}, {TWO}), trust 0x{policy.trust.hex()}"
            known.check(terms(policy))
            with pytest.raises(
                Refused, match=r"UntrustedPolicy: the terms trust 0x.*, we have quorum 2 of 2"
            ):
                known.check(terms(Policy(1, (ONE, TWO))))
            found = known.node_of(TWO)
            assert found is not None
            assert found.url == two


async def test_a_member_who_was_never_reached_is_waited_for(store: Store) -> None:
    async with node(about(ONE)) as one:
        async with quorum(store, CosignerEndpoint(one), CosignerEndpoint(NOWHERE)) as known:
            assert known.policy is None
            with pytest.raises(NotYet, match=f"quorum not known until {NOWHERE} was reached once"):
                known.check(terms(Policy.of(2, (ONE, TWO))))


async def test_a_member_who_was_reached_once_is_known_while_it_is_down(store: Store) -> None:
    async with node(about(ONE)) as one, node(about(TWO)) as two:
        async with quorum(store, CosignerEndpoint(one), CosignerEndpoint(two)) as known:
            policy = known.policy
    async with quorum(store, CosignerEndpoint(one), CosignerEndpoint(two)) as known:
        assert known.policy == policy == Policy.of(2, (ONE, TWO))


async def test_a_member_who_was_named_needs_no_asking(store: Store) -> None:
    members = (CosignerEndpoint(NOWHERE, None, ONE), CosignerEndpoint("http://127.0.0.1:2", None, TWO))
    async with quorum(store, *members, threshold=1, refresh=False) as known:
        assert known.policy == Policy.of(1, (ONE, TWO))


async def test_earlier_quorums_stay_known(store: Store, tmp_path: Path) -> None:
    before, after = Policy.of(1, (ONE, TWO)), Policy.of(1, (ONE, THREE))
    one, two, three = (
        CosignerEndpoint(f"http://127.0.0.1:{i}", None, s) for i, s in enumerate((ONE, TWO, THREE))
    )
    async with quorum(store, one, two, threshold=1, refresh=False):
        pass
    async with quorum(store, one, three, threshold=1, refresh=False) as known:
        assert known.known(before.trust) == before
        assert known.known(after.trust) == known.policy == after
        assert known.known(bytes(32)) is None
        with pytest.raises(Refused, match="UntrustedPolicy"):
            known.check(terms(before))
        assert known.node_of(TWO) is None


async def test_two_addresses_of_one_operator_are_no_two_members(store: Store) -> None:
    members = (CosignerEndpoint(NOWHERE, None, ONE), CosignerEndpoint("http://127.0.0.1:2", None, ONE))
    with pytest.raises(SignersNotAscending):
        async with quorum(store, *members, refresh=False):
            pass


@pytest.mark.parametrize("threshold", [0, 2])
def test_a_threshold_that_nobody_reaches_is_an_error(threshold: int) -> None:
    with pytest.raises(BadPolicy):
        QuorumConfig(threshold, (CosignerEndpoint(NOWHERE),))


async def test_without_a_quorum_nothing_is_trusted(store: Store) -> None:
    async with quorum(store) as none:
        with pytest.raises(Refused, match=r"UntrustedPolicy: .*, we have no quorum \(--cosigner\)"):
            none.check(terms(Policy(1, (ONE,))))
        assert none.why_out_of_reach(terms(Policy(1, (ONE,))), UNSEALED)


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ({}, ""),
        ({"cosigns": False}, "does not co-sign (--cosign)"),
        ({"models": []}, "does not serve the model"),
        ({"models": [{"modelId": to_hex(MODEL), "reproducible": False}]}, "another run can confirm"),
        ({"models": [{"modelId": to_hex(MODEL)}]}, "another run can confirm"),
        ({"operator": THREE}, f"is {THREE}'s"),
    ],
)
async def test_stake_is_put_only_behind_a_quorum_that_is_ready(
    store: Store, change: dict[str, Any], trouble: str
) -> None:
    async with node(about(ONE)) as one, node(about(TWO, **change)) as two:
        members = (CosignerEndpoint(one, None, ONE), CosignerEndpoint(two, None, TWO))
        async with quorum(store, *members) as known:
            assert known.policy is not None
            why = known.why_out_of_reach(terms(known.policy), UNSEALED)
            if trouble:
                assert why.startswith("1 of 2 signers are ready")
                assert trouble in why
            else:
                assert why == ""


async def test_our_own_signature_is_ready_when_it_is_there(store: Store) -> None:
    async with node(about(TWO)) as two:
        members = (CosignerEndpoint(NOWHERE, None, UNSEALED.operator), CosignerEndpoint(two))
        async with quorum(store, *members) as known:
            assert known.policy is not None
            asked = terms(known.policy)
            assert known.why_out_of_reach(asked, UNSEALED) == ""


async def test_what_a_seal_will_take(store: Store) -> None:
    members = tuple(
        CosignerEndpoint(f"http://127.0.0.1:{i}", None, s) for i, s in enumerate((ONE, TWO, THREE))
    )
    async with quorum(store, *members, refresh=False) as known:
        assert known.policy is not None
        assert known.seal_size == 14 + 3 * 20 + 2 * 65
