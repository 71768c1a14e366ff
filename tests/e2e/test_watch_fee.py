"""A watcher while gas costs more than `--max-fee`: it waits, says so, and signs nothing."""

from pathlib import Path

from tests.e2e.watch_world import World, until, world
from vouch.chain.fees import GWEI
from vouch.protocol.status import Status
from vouch.watcher.finding import Kind
from vouch.watcher.store import Store

CAP = 100 * GWEI
DEAR = 10_000 * GWEI
"""Falls by an eighth with each empty block, and stays above the cap for 34 of them."""


async def _costs(w: World, wei: int) -> None:
    """The base fee of a block that is mined now."""
    await w.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(wei))
    await w.rpc.call("evm_mine")


async def test_a_challenge_and_a_rejection_wait_for_cheaper_gas(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        request = await w.deliver(await w.ask(), w.moved(0.2))
        await _costs(w, DEAR)
        config = w.config(max_fee=CAP)
        async with w.watcher(config) as watched:
            line = await watched.said(Kind.DIFFERENT, request, "not challenged now, tried again until 20")
            assert "gas costs at least" in line.text
            assert "and the cap is 100 gwei (--max-fee)" in line.text
            assert "the cap is 100 gwei" in watched.watcher.report()["judging"]
            await _costs(w, GWEI)
            await watched.said(Kind.CHALLENGE, request)
            await until(lambda: w.has(request, Status.CHALLENGED))

            await _costs(w, DEAR)
            await w.later(3601)

            async def waits() -> bool:
                told = watched.watcher.report()
                return not told["ok"] and "the cap is 100 gwei" in told["keeping"]

            await until(waits)
            assert await w.hub.status_of(request) is Status.CHALLENGED
            with Store(config.database) as store:
                assert [sent.kind for sent in store.sent()] == [Kind.CHALLENGE]
            await _costs(w, GWEI)
            await watched.said(Kind.WON, request)
        assert Kind.TROUBLE not in watched.kinds(request)
