import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.python.prover.service.asking import BATCH, SINGLE, item, task
from vouch.protocol.errors import VouchError
from vouch.prover.service.task import Item, ProofState, ProofStatus, ProofTask, ProverInfo
from vouch.prover.service.wire import again_of, info_json, info_of, status_json, status_of, task_json, task_of
from vouch.web.errors import MalformedBody

addresses = st.sampled_from([task().hub, task().operator])
hashes = st.binary(min_size=32, max_size=32)
items = st.lists(
    st.builds(Item, hashes, st.binary(max_size=64), st.binary(max_size=64)),
    min_size=1,
    max_size=4,
    unique_by=lambda one: one.request_id,
)
tasks = st.builds(
    ProofTask,
    st.integers(1, 2**256 - 1),
    addresses,
    addresses,
    hashes,
    hashes,
    items.map(tuple),
    st.none() | st.integers(0, 2**63 - 1),
)


@given(tasks)
def test_tasks_there_and_back(asked: ProofTask) -> None:
    assert task_of(json.loads(json.dumps(task_json(asked)))) == asked


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chainId", 0),
        ("chainId", True),
        ("chainId", "1"),
        ("hub", "0x12"),
        ("operator", None),
        ("modelId", "00" * 32),
        ("modelId", "0x" + "00" * 31),
        ("circuitId", "0xzz"),
        ("circuitId", "0x0 0"),
        ("items", []),
        ("items", {}),
        ("items", [1]),
        ("items", [{"requestId": "0x"}]),
        ("proveBy", -1),
        ("proveBy", 1 << 63),
        ("proveBy", 1.5),
    ],
)
def test_what_is_no_task(field: str, value: Any) -> None:
    with pytest.raises(VouchError):
        task_of(task_json(task()) | {field: value})


def test_a_missing_field() -> None:
    for field in ("chainId", "hub", "operator", "modelId", "circuitId", "items"):
        body = task_json(task())
        del body[field]
        with pytest.raises(VouchError, match=field):
            task_of(body)
    assert task_of({k: v for k, v in task_json(task()).items() if k != "proveBy"}) == task()


@pytest.mark.parametrize(
    "status",
    [
        ProofStatus("a", ProofState.QUEUED, 3, 1.25),
        ProofStatus("a", ProofState.DONE, seal=b"seal", cpu_seconds=1.5, peak_bytes=10),
        ProofStatus("a", ProofState.FAILED, reason="because"),
    ],
)
def test_status_there_and_back(status: ProofStatus) -> None:
    assert status_of(json.loads(json.dumps(status_json(status)))) == status


@pytest.mark.parametrize(
    "change",
    [{"state": "lost"}, {"seal": "0xzz"}, {"seal": None}, {"place": None}, {"state": "queued"}],
)
def test_a_status_without_sense(change: dict[str, Any]) -> None:
    body = status_json(ProofStatus("a", ProofState.DONE, seal=b"seal"))
    with pytest.raises((ValueError, KeyError, TypeError)):
        status_of(body | change)


def test_info_there_and_back() -> None:
    models = {b"m" * 32: {SINGLE.id: 1, BATCH.id: 4}, b"n" * 32: {SINGLE.id: 1}}
    info = ProverInfo(models, "canonical", 7, {SINGLE.id: 0.5}, {SINGLE.id: 0.25, BATCH.id: 2.0})
    assert info_of(json.loads(json.dumps(info_json(info)))) == info


def test_an_older_services_info() -> None:
    info = ProverInfo({b"m" * 32: {SINGLE.id: 1}}, "canonical", 7, {SINGLE.id: 0.5}, {SINGLE.id: 0.25})
    body = info_json(info)
    del body["models"][0]["circuits"][0]["seconds"]
    assert info_of(body) == replace(info, seconds={})


def test_whether_it_is_proven_again() -> None:
    assert not again_of(task_json(task()))
    assert again_of({"again": True})
    for wrong in (None, 1, "true"):
        with pytest.raises(MalformedBody, match="again"):
            again_of({"again": wrong})


def test_the_item_of_the_examples() -> None:
    """The shape that the endpoint's description names."""
    body = task_json(task())
    assert body.keys() == {"chainId", "hub", "operator", "modelId", "circuitId", "items", "proveBy"}
    assert body["items"][0].keys() == {"requestId", "input", "output"}
    assert body["items"][0]["requestId"] == "0x" + item(1).request_id.hex()
