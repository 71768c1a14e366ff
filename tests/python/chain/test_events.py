from dataclasses import replace

import pytest
from eth_abi.abi import encode
from hypothesis import example, given
from hypothesis import strategies as st

from tests.python.chain.terms import MANIFEST, terms_of
from vouch.chain.abi import artefact
from vouch.chain.contracts import Hub, ModelRegistry
from vouch.chain.deployment import Deployment
from vouch.chain.events import (
    HUB_EVENTS,
    ChallengedLog,
    DeliveredLog,
    EquivocatedLog,
    MalformedLog,
    PublishedLog,
    RejectedLog,
    RequestedLog,
    TypedLog,
    UnchallengedLog,
    decode_log,
    decode_logs,
    get_logs,
    log_ranges,
    receipt_logs,
)
from vouch.chain.rpc import Rpc, RpcError
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Log
from vouch.protocol.request import REQUEST_TYPE

A, B = "0x" + "11" * 20, "0x" + "22" * 20


def log_of(data: bytes, topics: tuple[bytes, ...] = (RequestedLog.topic(), bytes(32), bytes(32))) -> Log:
    return Log(A, topics, data, 7, b"b" * 32, b"t" * 32, 3)


TERMS = terms_of(A, A)
GOOD = encode([REQUEST_TYPE, "bytes"], [TERMS.to_abi(), b"input"])


def test_requested() -> None:
    log = decode_log(log_of(GOOD))
    assert isinstance(log, RequestedLog)
    assert (log.request, log.input, log.block_number, log.log_index) == (TERMS, b"input", 7, 3)


def test_other_events_are_none() -> None:
    assert decode_log(log_of(b"", (b"x" * 32,))) is None
    assert decode_log(log_of(b"", ())) is None


@pytest.mark.parametrize(
    ("data", "topics"),
    [
        (GOOD[:-40], (RequestedLog.topic(), bytes(32), bytes(32))),
        (b"", (RequestedLog.topic(), bytes(32), bytes(32))),
        (GOOD, (RequestedLog.topic(), bytes(32))),
        (GOOD, (RequestedLog.topic(),)),
        (b"\xff" * 12 + GOOD[12:], (RequestedLog.topic(), bytes(32), bytes(32))),
        (
            GOOD[: 11 * 32] + (2).to_bytes(32, "big") + GOOD[12 * 32 :],
            (RequestedLog.topic(), bytes(32), bytes(32)),
        ),
    ],
    ids=["cut", "empty", "one topic", "no topic", "dirty address", "no such gate"],
)
def test_malformed_logs_are_values(data: bytes, topics: tuple[bytes, ...]) -> None:
    log = decode_log(log_of(data, topics))
    assert isinstance(log, MalformedLog)
    assert (log.data, log.topics, log.tx_hash) == (data, topics, b"t" * 32)
    assert log.reason


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=64))
@example(17 * 32, b"\xff" * 32)
@example(18 * 32, b"\xff" * 32)
def test_no_bytes_make_decoding_raise(at: int, patch: bytes) -> None:
    data = GOOD[:at] + patch + GOOD[at + len(patch) :]
    log = decode_log(log_of(data))
    assert isinstance(log, RequestedLog | MalformedLog)


def test_every_event_of_the_hub_has_a_kind() -> None:
    """All but the ledger's, which say nothing about a request."""
    ledger = {m["name"] for m in artefact("ILedger").abi if m["type"] == "event"}
    events = {m["name"] for m in artefact("InferenceHub").abi if m["type"] == "event"}
    assert {kind.SOURCE[1] for kind in HUB_EVENTS} == events - ledger
    assert len({kind.topic() for kind in HUB_EVENTS}) == len(HUB_EVENTS)


@given(
    st.sampled_from(HUB_EVENTS),
    st.lists(st.binary(min_size=32, max_size=32), max_size=4),
    st.binary(max_size=200),
)
def test_any_log_of_any_kind_is_decoded_or_malformed(
    kind: type[TypedLog], topics: list[bytes], data: bytes
) -> None:
    log = decode_log(log_of(data, (kind.topic(), *topics)))
    assert isinstance(log, kind | MalformedLog)


GIVEN = (b"\7" * 32, bytes(12) + bytes.fromhex(A[2:]), bytes(12) + b"\x22" * 20)


@pytest.mark.parametrize(
    ("kind", "topics", "data", "fields"),
    [
        (DeliveredLog, 1, encode(["address", "bytes"], [A, b"out"]), {"operator": A, "output": b"out"}),
        (ChallengedLog, 2, b"", {"challenger": A}),
        (UnchallengedLog, 1, b"", {}),
        (RejectedLog, 3, b"", {"operator": A, "rewarded": B}),
        (EquivocatedLog, 3, encode(["uint256"], [5]), {"operator": A, "rewarded": B, "slashed": 5}),
    ],
)
def test_logs_of_a_gap(kind: type[TypedLog], topics: int, data: bytes, fields: dict[str, object]) -> None:
    log = decode_log(log_of(data, (kind.topic(), *GIVEN[:topics])))
    assert isinstance(log, kind)
    expected = {"id": GIVEN[0], "block_number": 7, "log_index": 3, **fields}
    assert {name: getattr(log, name) for name in expected} == expected
    for wrong in (topics - 1, topics + 1):
        given = (kind.topic(), *(*GIVEN, GIVEN[0])[:wrong])
        assert isinstance(decode_log(log_of(data, given)), MalformedLog)
    dirty = (kind.topic(), GIVEN[0], *[b"\xff" * 32] * (topics - 1))
    assert isinstance(decode_log(log_of(data, dirty)), MalformedLog if topics > 1 else kind)


async def test_ranges_cover_every_block_once(
    rpc: Rpc, hub: Hub, sender: TxSender, deployment: Deployment
) -> None:
    first = int(await rpc.call("eth_blockNumber"), 16) + 1
    for salt in range(5):
        await sender.transact(hub.request(terms_of(sender.address, sender.address, salt=salt), b"in"))
        await rpc.call("anvil_mine", "0x3")
    last = int(await rpc.call("eth_blockNumber"), 16)
    found = await get_logs(rpc, deployment.hub, first, last)
    assert [log.request.salt for log in found if isinstance(log, RequestedLog)] == [0, 1, 2, 3, 4]
    parts = [part async for part in log_ranges(rpc, deployment.hub, first, last, max_range=3)]
    assert len(parts) > 5
    assert [log for part in parts for log in part] == found
    assert await get_logs(rpc, deployment.hub, last + 1, last) == []


class Stingy(Rpc):
    """Refuses ranges of more than `limit` blocks, as providers do."""

    limit = 4
    asked: list[int]

    async def call(self, method: str, *params: object, timeout: float | None = None) -> object:
        if method == "eth_getLogs":
            query = params[0]
            assert isinstance(query, dict)
            size = int(query["toBlock"], 16) - int(query["fromBlock"], 16) + 1
            self.asked.append(size)
            if size > self.limit:
                raise RpcError(-32005, "query exceeds max block range", None, method)
        return await super().call(method, *params, timeout=timeout)


async def test_a_refused_range_is_split(rpc: Rpc, hub: Hub, sender: TxSender, deployment: Deployment) -> None:
    first = int(await rpc.call("eth_blockNumber"), 16) + 1
    await rpc.call("anvil_mine", "0xa")
    await sender.transact(hub.request(terms_of(sender.address, sender.address), b"in"))
    last = int(await rpc.call("eth_blockNumber"), 16)
    async with Stingy(rpc.url) as stingy:
        stingy.asked = []
        assert len(await get_logs(stingy, deployment.hub, first, last)) == 1
        assert max(size for size in stingy.asked if size <= 4) >= 2
        stingy.limit = 0
        with pytest.raises(RpcError, match="max block range"):
            await get_logs(stingy, deployment.hub, first, last)


async def test_a_log_that_a_fork_took_back_does_not_count(
    rpc: Rpc, sender: TxSender, hub: Hub, deployment: Deployment
) -> None:
    await sender.transact(hub.request(terms_of(sender.address, sender.address), b"in"))
    found = await rpc.call("eth_getLogs", {"address": deployment.hub, "fromBlock": "latest"})
    assert len(decode_logs(found)) == 1
    assert decode_logs([{**log, "removed": True} for log in found]) == []


async def test_logs_of_a_receipt_by_contract(
    models: ModelRegistry, sender: TxSender, deployment: Deployment
) -> None:
    receipt = await sender.transact(models.publish("risk", MANIFEST))
    (log,) = receipt_logs(receipt, deployment.models, (PublishedLog,))
    assert isinstance(log, PublishedLog)
    assert (log.name, log.manifest, log.publisher) == ("risk", MANIFEST, sender.address)
    assert receipt_logs(receipt, deployment.hub, (PublishedLog,)) == []
    assert replace(log, name="other") != log
