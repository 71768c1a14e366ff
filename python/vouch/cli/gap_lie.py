"""The last scene of `vouch demo --gap`: an operator lies, and pays for it."""

import asyncio

import aiohttp
import numpy as np

from vouch.chain.hexes import to_hex
from vouch.cli import loan
from vouch.cli.console import wei
from vouch.cli.devnet import MAX_RISK, RISK
from vouch.cli.gap_net import COSIGNERS, LIAR, PROVE_WITHIN, WATCHER, GapNet, until
from vouch.cli.gap_stage import AMOUNT, BOND, Stage, risk
from vouch.client.terms import Prepared
from vouch.protocol.claim import Claim
from vouch.protocol.codec import encode_tensors
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM
from vouch.protocol.status import Status

FEATURES = np.array([24, 0.55, 0.7, 4, 1], np.float32)
"""A loan that the model finds reckless: a default probability of 95 %."""
LIE = 0.02
"""What the liar says about it."""
WINDOW = 3600
"""Seconds in which the lie can be challenged."""


async def lie(stage: Stage[GapNet]) -> None:
    """A wrong result that counts unless somebody demands its proof: the watcher does."""
    net = stage.net
    async with stage.scene(
        "3. A lie",
        "The borrower asks another operator about a reckless loan, on terms with a window: no proof is due",
        f"unless somebody demands it within {WINDOW} s, with a bond of {wei(BOND)}. Insured: {wei(AMOUNT)}.",
    ) as money:
        stage.step("the co-signing nodes start again, which takes a moment: they load the model")
        async with asyncio.TaskGroup() as starting:
            for name in COSIGNERS:
                starting.create_task(net.net.start_cosigner(name))
        prepared = await _question(net)
        asked = await loan.send(net.net, net.hub.request(prepared.request, prepared.input))
        stage.step(f"asked: request 0x{asked.id.hex()[:16]}…, fee {wei(asked.fee)}")
        output = encode_tensors(prepared.manifest.outputs, {"risk": np.array([[LIE]], np.float32)})
        says = risk(prepared.manifest, loan.directly(prepared.manifest, FEATURES))
        await _deliver(net, prepared, output)
        stage.step(
            f"[yellow]delivered[/] by the liar: a risk of [red]{LIE:.0%}[/]; the model says {says:.0%}"
        )
        await until(lambda: net.has(asked.id, Status.CHALLENGED), "a challenge by the watcher")
        gap = await net.hub.gap_of(prepared.request)
        stage.step("[yellow]challenged[/] by the watcher:")
        stage.quote(await net.watcher_says("challenge", asked.id))
        refusals = await _ask_for_signatures(net, prepared, output)
        stage.step("now a proof is due: the liar asks both co-signing nodes for their signatures; they say:")
        for text in dict.fromkeys(refusals):
            stage.quote(text)
        skipped = await net.move_clock(gap.prove_by + 1)
        stage.step(
            f"[yellow]the chain's clock is moved on by {skipped} s[/]: the proof is late by one second"
        )
        await until(lambda: net.has(asked.id, Status.REJECTED), "the rejection by the watcher")
        stage.step("[red]rejected[/] by the watcher:")
        stage.quote(await net.watcher_says("won", asked.id))
    stage.check(
        "3: the liar said yes where the model says no",
        risk(prepared.manifest, output) * 1e18 <= MAX_RISK < says * 1e18,
    )
    stage.check(
        "3: both co-signing nodes refused to sign the lie",
        len(refusals) == len(COSIGNERS) and all("Disagrees" in text for text in refusals),
    )
    stage.check(
        "3: the watcher demanded the proof within the window, and it is no answer any more",
        gap.challenger == net.parties[WATCHER]
        and not await net.hub.is_answer(asked.id, prepared.request.operator, keccak(output)),
    )
    stage.check(
        "3: the liar's stake paid the exposure to the borrower and the bond to the watcher, to the wei",
        money.gains == {"borrower": AMOUNT, "liar": -AMOUNT - BOND, "watcher": BOND},
    )


async def _question(net: GapNet) -> Prepared:
    """The borrower's own, without a contract in between. Raises as Client.prepare."""
    return await net.client.prepare(
        net.net.models[RISK].model_id,
        {"x": FEATURES},
        net.net.accounts["user"].address,
        operator=net.net.accounts[LIAR].address,
        route=QUORUM,
        trust=net.net.quorum.trust,
        window=WINDOW,
        prove_within=PROVE_WITHIN,
        exposure=AMOUNT,
        bond=BOND,
    )


async def _deliver(net: GapNet, prepared: Prepared, output: bytes) -> None:
    """The liar signs and delivers an output, whatever it is. Raises as TxSender.transact."""
    terms, place = prepared.request, net.net.deployment
    request = terms.id(place.chain_id, place.hub)
    claim = Claim(request, terms.model_id, terms.input_hash, keccak(output), terms.operator)
    signature = net.net.accounts[LIAR].sign_claim(claim, place.chain_id, place.hub).proof
    await net.sender(LIAR).transact(net.hub.deliver(terms, terms.operator, output, signature))


async def _ask_for_signatures(net: GapNet, prepared: Prepared, output: bytes) -> list[str]:
    """What each co-signing node says to an output."""
    terms, place = prepared.request, net.net.deployment
    body = {
        "chainId": place.chain_id,
        "hub": place.hub,
        "terms": to_hex(bytes(terms)),
        "input": to_hex(prepared.input),
        "operator": terms.operator,
        "output": to_hex(output),
    }
    said = []
    async with aiohttp.ClientSession() as http:
        for cosigner in net.net.cosigners.values():
            async with http.post(f"{cosigner.url}/vouch/v1/cosignatures", json=body) as reply:
                found = await reply.json()
            error = found.get("error", {"name": "signed", "message": ""})
            said.append(f"HTTP {reply.status} {error['name']}: {error['message']}")
    return said
