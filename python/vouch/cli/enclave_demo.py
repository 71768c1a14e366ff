"""vouch demo --enclave: an enclave's key gets in by its document alone, and then seals answers."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from vouch.attestation.document import parse
from vouch.attestation.explain import explain
from vouch.attestation.seal import sealer
from vouch.attestation.verify import Attestation, verify
from vouch.chain.contracts import Hub
from vouch.cli import loan
from vouch.cli.attest_words import root_of, root_words
from vouch.cli.console import duration, out
from vouch.cli.demo import FEATURES
from vouch.cli.devnet import RISK, Devnet, Plan, Progress, devnet
from vouch.cli.enclave_chain import EnclaveChain, enclaves_of
from vouch.cli.enclave_seen import ECRECOVER, LetIn, called, let_in, refusal
from vouch.cli.gap_net import until
from vouch.cli.screen import progress, report
from vouch.client import Answer
from vouch.protocol.enclave import ENCLAVE, EnclaveIdentity
from vouch.protocol.keccak import keccak
from vouch.protocol.status import Status

LOANS = (
    np.array([value for value, _ in FEATURES.values()], np.float32),
    np.array([18, 0.9, 0.4, 6, 1], np.float32),
)
"""One that the model finds safe, and one that it does not."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A loan that RiskGate decided on; `called` is whom the transaction with the answer called."""

    features: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
    asked: loan.Asked
    answer: Answer
    decision: loan.Decision
    called: Sequence[str]

    @property
    def ecrecovers(self) -> int:
        return self.called.count(ECRECOVER)


async def run() -> None:
    """Plays it on a chain of its own. Raises Failed unless everything is as it should be."""
    began = time.monotonic()
    step = progress(began)
    with TemporaryDirectory(prefix="vouch-demo-") as folder:
        plan = Plan(folder=Path(folder), deployments=Path(folder) / "deployments", enclave=True)
        async with devnet(plan, step) as net:
            chain = enclaves_of(net.rpc, net.deployment)
            out.print(f"  ready after {duration(time.monotonic() - began)}")
            first = await _first(chain, step)
            attestation = verify(
                parse(first.document),
                root_fingerprint=await chain.attestation.root_fingerprint(),
                at=first.at,
            )
            _show_document(attestation)
            _show_registration(first, attestation)
            decided = [await _decide(net, number, step) for number in range(1, len(LOANS) + 1)]
            _show_answers(decided, first)
            checks = await _checks(net, chain, attestation, decided)
    report(checks)
    out.print(
        "\n[bold]Next[/]\n"
        "  docs/enclaves.md                an image for AWS's enclaves, and how consumers come to trust it\n"
        "  vouch attest --help             documents by hand: fetch, explain, verify, register\n"
        "  vouch up --enclave              the same, left running"
    )
    out.print(f"\n[green]demo complete[/] in {duration(time.monotonic() - began)}")


async def _first(chain: EnclaveChain, step: Progress) -> LetIn:
    """The registration of the node's key, which is the relayer's work."""
    step("the relayer asks the node's enclave for a document, checks it, and makes hints for its signatures")
    found: list[LetIn] = []

    async def there() -> bool:
        found[:] = await let_in(chain)
        return bool(found)

    await until(there, "the relayer registers the key of the node's enclave")
    step("one transaction: the chain has checked the document, and let the key in")
    return found[0]


def _show_document(attestation: Attestation) -> None:
    out.print("\n[bold]The enclave's document, as it went to the chain[/]")
    for line in explain(attestation.document, attestation):
        out.print(f"  {line}", markup=False)
    out.print(f"  The root is {root_words(root_of(attestation.document))}", markup=False)


def _show_registration(first: LetIn, attestation: Attestation) -> None:
    size = len(first.document) + sum(map(len, first.hints))
    out.print("\n[bold]The registration[/]")
    out.print(f"  sent by           the relayer, {first.sender}; anybody could have")
    out.print(
        f"  checked           {first.certificates} certificates and the document: "
        f"{first.certificates + 1} P-384 signatures, in the EVM"
    )
    out.print(f"  cost              {first.gas:,} gas, for {size:,} bytes of document and hints")
    out.print(
        f"  lasts             {(attestation.expiry - first.at) // 60} minutes; then it is attested anew"
    )


async def _decide(net: Devnet, number: int, step: Progress) -> Decided:
    features = LOANS[number - 1]
    asked = await loan.ask(net, number, features)
    answer = await loan.answer(net, asked.id)
    assert answer.fulfil_tx is not None, "without a gap, it came with its seal"
    step(f"loan {number}: asked on the route ENCL with the image id as trust, and {answer.level.lower()}")
    decision = await loan.decision(net, number)
    return Decided(features, asked, answer, decision, await called(net.rpc, answer.fulfil_tx))


def _show_answers(decided: Sequence[Decided], first: LetIn) -> None:
    out.print("\n[bold]The answers[/]")
    for number, each in enumerate(decided, start=1):
        verdict = "[green]approved[/]" if each.decision.approved else "[red]refused[/]"
        out.print(
            f"  loan {number}            {verdict}, risk {each.decision.risk / 1e18:.2%}; "
            f"[bold]{each.answer.level}[/]; {each.answer.gas.fulfil:,} gas, {each.ecrecovers} ecrecover"
        )
    out.print(f"  the key's {first.gas:,} gas were paid once: no signature of AWS's kind is checked again")


async def _checks(
    net: Devnet, chain: EnclaveChain, attestation: Attestation, decided: Sequence[Decided]
) -> dict[str, bool]:
    """What has to be true at the end, and whether it is."""
    document, place, answers = attestation.document, net.deployment, [each.answer for each in decided]
    key = EnclaveIdentity.from_spki(document.public_key or b"").id
    known = await chain.keys.key_of(key)
    earned = await Hub(net.rpc, place.hub).credit_of(known.operator)
    seals = [bytes(answer.seal or b"") for answer in answers]
    makers = {
        sealer(seal, answer.claim, place.chain_id, place.hub)
        for seal, answer in zip(seals, answers, strict=True)
    }
    verifier, last = place.verifiers[ENCLAVE.decode()], answers[-1]
    others = keccak(b"another image")
    straight = [loan.directly(net.models[RISK], each.features) for each in decided]
    machinery = {place.enclaves[name] for name in ("NitroAttestation", "P384")}
    return {
        "the document follows from the root that the contract pins, and no administrator let the key in": (
            known.known and known.expiry == attestation.expiry
        ),
        "the key's image is the one that RiskGate trusts": known.image_id
        == document.image_id
        == net.image
        == decided[0].answer.request.trust,
        "the key in the document made both seals, and it works for the registered operator": makers == {key}
        and known.operator == net.accounts["operator"].address == last.operator,
        "the operator has both fees, to the wei": earned == sum(each.asked.fee for each in decided),
        "outputs are bit for bit what onnxruntime gives when called directly": [
            answer.output_bytes for answer in answers
        ]
        == straight,
        "both were settled as Attested, and RiskGate was called back": all(
            (answer.level, answer.status) == ("Attested", Status.SETTLED)
            and not answer.assurance.callback_failed
            for answer in answers
        )
        and [each.decision.approved for each in decided] == [True, False],
        "an answer's seal costs one ecrecover, and nothing of the document is looked at again": all(
            each.ecrecovers == 1 and not machinery & set(each.called) for each in decided
        )
        and len(await let_in(chain)) == 1,
        "who trusts another image is safe from this key": await refusal(
            net.rpc, verifier, seals[-1], others, last.claim
        )
        == "WrongImage",
        "after the key's last second nobody takes its seals any more": [
            await refusal(
                net.rpc, verifier, seals[-1], last.request.trust, last.claim, at=known.expiry + late
            )
            for late in (0, 1)
        ]
        == ["", "EnclaveKeyExpired"],
    }
