"""Gas of batches, and what fits into one."""

from dataclasses import replace
from typing import Any

from tests.python.relayer.making import ANSWER, HUB, make_job
from vouch.chain.abi import function
from vouch.chain.contracts import Hub
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import MAX_TX_GAS
from vouch.relayer import gas
from vouch.relayer.batch import Batch
from vouch.relayer.config import Limits
from vouch.relayer.job import Job


def answered(output: bytes = b"output", **terms: Any) -> Job:
    return replace(make_job(**terms), answer=replace(ANSWER, output=output))


def batch(*jobs: Job) -> Batch:
    return Batch(Hub(Rpc("http://127.0.0.1:1"), HUB), jobs)


def filled(job: Job, limits: Limits) -> Batch:
    made = batch()
    for salt in range(1_000):
        if not made.fits(replace(job, id=salt.to_bytes(32, "big")), limits):
            break
        made.add(job)
    return made


def test_one_is_fulfil_and_more_are_fulfil_many() -> None:
    fulfil, many = function("InferenceHub", "fulfil"), function("InferenceHub", "fulfilMany")
    assert batch(answered()).call().data[:4] == fulfil.selector
    (items,) = many.decode_input(batch(answered(), answered(salt=2)).call().data)
    assert [item[2] for item in items] == [b"output", b"output"]


def test_a_batch_is_full_at_its_item_limit() -> None:
    assert len(filled(answered(), Limits(batch_items=7)).jobs) == 7


def test_a_full_batch_stays_under_the_gas_limit() -> None:
    for job in (answered(callback_gas=1_000_000), answered(bytes(range(256)) * 64), answered()):
        made = filled(job, Limits(batch_items=1_000))
        assert 1 < len(made.jobs) < 1_000
        assert made.gas() <= Limits().batch_gas
        assert made.gas() + 2 * made.gas() // len(made.jobs) > Limits().batch_gas / 2


def test_a_callback_gets_64_63_of_its_gas() -> None:
    without, with_callback = batch(answered()).gas(), batch(answered(callback_gas=6_300_000)).gas()
    assert with_callback - without >= 6_400_000


def test_no_limit_is_over_the_cap_of_one_transaction() -> None:
    huge = answered(b"\xff" * 65_536, callback_gas=15_000_000)
    assert batch(huge).gas() == MAX_TX_GAS


def test_large_calldata_pays_its_floor() -> None:
    output = b"\xff" * 60_000
    assert batch(answered(output)).gas() >= 21_000 + 40 * len(output)


def test_what_is_expected_covers_what_is_sent() -> None:
    job = answered(bytes(32), callback_gas=50_000)
    assert gas.expected(job.terms) >= batch(job).gas()
