"""Bonds: who puts them up and how many, what is lost, and who was faster."""

from pathlib import Path

from tests.e2e.watch_world import BOND, ETHER, until, world
from vouch.protocol.request import NATIVE
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Status
from vouch.watcher.config import Believed, Budget
from vouch.watcher.finding import Kind


async def test_credit_pays_bonds_before_the_balance_does(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.sender(8).transact(w.hub.deposit(BOND // 4, w.account.address))
        before = await w.balance(w.account) + await w.gas_spent(w.account)
        async with w.watcher() as watched:
            request = await w.deliver(await w.ask(), w.moved(0.2))
            await watched.said(Kind.CHALLENGE, request)
            await until(lambda: w.has(request, Status.CHALLENGED))
        assert await w.hub.credit_of(w.account.address) == 0
        assert before - await w.balance(w.account) - await w.gas_spent(w.account) == BOND - BOND // 4


async def test_a_challenge_that_is_answered_costs_the_bond_and_is_the_last_one_about_the_model(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        async with w.watcher() as watched:
            terms = await w.ask()
            request = await w.deliver(terms, w.moved(0.2))
            await watched.said(Kind.CHALLENGE, request)
            await until(lambda: w.has(request, Status.CHALLENGED))
            await w.prove(terms, w.moved(0.2))
            await watched.said(Kind.LOST, request)
            assert watched.watcher.report()["lost"] == {NATIVE: str(BOND)}
            assert watched.watcher.report()["atRisk"] == {NATIVE: "0"}
        assert await w.hub.credit_of(w.operator.address) == terms.fee + BOND
        async with w.watcher() as watched:  # it remembers
            other = await w.deliver(await w.ask(), w.moved(0.3))
            line = await watched.said(Kind.DIFFERENT, other)
            assert "an earlier challenge about this model was lost" in line.text
            assert watched.watcher.report()["lost"] == {NATIVE: str(BOND)}
        assert await w.hub.status_of(other) is Status.DELIVERED
        assert await w.sent(w.account) == 1


async def test_bonds_are_bounded_each_and_all_together(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        budgets = {NATIVE: Budget(2 * BOND, 3 * BOND)}
        async with w.watcher(w.config(budgets=budgets)) as watched:
            dear = await w.deliver(await w.ask(bond=2 * BOND + 1), w.moved(0.2))
            line = await watched.said(Kind.DIFFERENT, dear)
            assert "over --max-bond 0.02 ether" in line.text
            first = await w.deliver(await w.ask(bond=2 * BOND), w.moved(0.2))
            await watched.said(Kind.CHALLENGE, first)
            second = await w.deliver(await w.ask(bond=2 * BOND), w.moved(0.2))
            line = await watched.said(Kind.DIFFERENT, second)
            assert "0.02 ether are at risk already" in line.text
            third = await w.deliver(await w.ask(), w.moved(0.2))
            await watched.said(Kind.CHALLENGE, third)
            await until(lambda: w.has(third, Status.CHALLENGED))
            assert await w.hub.status_of(second) is await w.hub.status_of(dear) is Status.DELIVERED
            # What is won frees the budget, and the window is still open.
            await w.later(3601)
            await watched.said(Kind.WON, first)
            await until(lambda: w.has(second, Status.CHALLENGED))


async def test_only_believed_proofs_are_worth_a_bond(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        async with w.watcher(w.config(believed=Believed())) as watched:
            request = await w.deliver(await w.ask(), w.moved(0.2))
            line = await watched.said(Kind.DIFFERENT, request)
            assert f"--believe 0x{w.policy.trust.hex()}" in line.text
        config = w.config(believed=Believed(anyone=True))
        async with w.watcher(config) as watched:
            # The operator's signature is its own proof there, so the bond would be lost at once.
            signed = await w.deliver(await w.ask(route=SIGNED, trust=bytes(32)), w.moved(0.2))
            assert "a challenge is lost at once" in (await watched.said(Kind.DIFFERENT, signed)).text
            await watched.said(Kind.CHALLENGE, request)
        assert await w.hub.status_of(signed) is Status.DELIVERED


async def test_a_bond_below_its_gas_is_left_to_the_principled(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        async with w.watcher() as watched:
            request = await w.deliver(await w.ask(bond=1), w.moved(0.2))
            line = await watched.said(Kind.DIFFERENT, request)
            assert "--principled does it anyway" in line.text
            late = await w.deliver(await w.ask(bond=1, window=0), w.moved(0.2))
            await w.later(3601)
            await watched.said(Kind.REJECT, late, "left to others")
        assert await w.sent(w.account) == 0
        async with w.watcher(w.config(principled=True)) as watched:
            await until(lambda: w.has(request, Status.CHALLENGED))
            await until(lambda: w.has(late, Status.REJECTED))


async def test_a_token_bond_comes_from_credit(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        token = await w.token(w.account, w.anvil.accounts[4], w.operator)
        operator = w.sender(1)
        await operator.transact(token.call("mint", w.operator.address, ETHER))
        await operator.transact(token.call("approve", w.nodes.address, ETHER))
        await operator.transact(w.nodes.stake(ETHER, token.address))
        sent = await w.sent(w.account)
        ask = {"token": token.address, "exposure": 5, "bond": 7}
        async with w.watcher() as watched:
            request = await w.deliver(await w.ask(**ask), w.moved(0.2))
            line = await watched.said(Kind.DIFFERENT, request)
            assert f"no bond is put up in the token {token.address}" in line.text
            assert await w.sent(w.account) == sent
        budgets = {token.address: Budget(10, 10)}
        async with w.watcher(w.config(budgets=budgets)) as watched:
            await watched.said(Kind.CHALLENGE, request)
            await until(lambda: w.has(request, Status.CHALLENGED))
            assert await w.hub.credit_of(w.account.address, token.address) == ETHER - 7
            await w.later(3601)
            await watched.said(Kind.WON, request)
            assert await w.hub.credit_of(w.account.address, token.address) == ETHER + 7


async def test_a_race_within_a_block_costs_the_loser_gas_and_no_bond(tmp_path: Path) -> None:
    async with (
        world(tmp_path) as w,
        w.watcher() as first,
        w.watcher(w.config(name="rival"), w.anvil.accounts[9]) as second,
    ):
        request = await w.deliver(await w.ask(), w.honest)
        await first.said(Kind.SAME, request)
        await w.rpc.call("evm_setAutomine", False)
        before = [await w.balance(key) for key in w.anvil.accounts[8:10]]
        terms = await w.ask_unmined()
        await w.sender(1).send(w.delivery(terms, w.moved(0.2)), gas=400_000, simulate=False)
        await w.rpc.call("evm_mine")
        for watched in (first, second):
            await watched.said(Kind.CHALLENGE, w.id(terms))
        await w.rpc.call("evm_mine")
        gap = await w.hub.gap_of(terms)
        ours = gap.challenger == w.account.address
        line = await (second if ours else first).said(
            Kind.BEATEN, w.id(terms), "somebody was faster, which cost"
        )
        assert "(WrongStatus)" in line.text
        for key, balance in zip(w.anvil.accounts[8:10], before, strict=True):
            bond = BOND if key.address == gap.challenger else 0
            assert balance - await w.balance(key) == bond + await w.gas_spent(key)


async def test_two_challenges_in_one_block_do_not_spend_one_credit_twice(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.sender(8).transact(w.hub.deposit(BOND, w.account.address))
        async with w.watcher() as watched:
            terms = [await w.ask(), await w.ask()]
            await w.rpc.call("evm_setAutomine", False)
            operator = w.sender(1)
            for each in terms:
                await operator.send(w.delivery(each, w.moved(0.2)), gas=400_000, simulate=False)
            await w.rpc.call("evm_mine")
            for each in terms:
                await watched.said(Kind.CHALLENGE, w.id(each))
            await w.rpc.call("evm_mine")
            for each in terms:
                assert await w.hub.status_of(w.id(each)) is Status.CHALLENGED
            assert await w.hub.credit_of(w.account.address) == 0


async def test_whoever_cannot_pay_says_so_and_challenges_when_it_can(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.watcher() as watched:
        await w.rpc.call("anvil_setBalance", w.account.address, hex(BOND))
        request = await w.deliver(await w.ask(), w.moved(0.2))
        line = await watched.said(Kind.DIFFERENT, request)
        assert "cannot pay for this transaction: send it native tokens" in line.text
        await w.rpc.call("anvil_setBalance", w.account.address, hex(ETHER))
        await until(lambda: w.has(request, Status.CHALLENGED))


async def test_somebody_faster_gets_the_bond(tmp_path: Path) -> None:
    async with (
        world(tmp_path) as w,
        w.watcher() as first,
        w.watcher(w.config(name="rival"), w.anvil.accounts[9]) as second,
    ):
        terms = await w.ask()
        request = await w.deliver(terms, w.moved(0.2))
        await until(lambda: w.has(request, Status.CHALLENGED))
        gap = await w.hub.gap_of(terms)
        await w.later(3601)
        await until(lambda: w.has(request, Status.REJECTED))
        ours = gap.challenger == w.account.address
        winner, loser = (first, second) if ours else (second, first)
        await winner.said(Kind.WON, request)
        assert Kind.WON not in loser.kinds(request)
        assert await w.hub.credit_of(gap.challenger) == 2 * BOND
        other = w.anvil.accounts[9] if ours else w.account
        assert await w.hub.credit_of(other.address) == 0
