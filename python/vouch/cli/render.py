"""Answers, and how they stand, for people and for programs."""

import datetime as dt
from typing import Any

import numpy as np
from rich.table import Table

from vouch.chain.hexes import to_hex
from vouch.cli.console import out, wei
from vouch.client import Answer, TrustGap
from vouch.client.gap import due
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.status import Assurance, Status


def output_json(output: dict[str, np.ndarray[Any, Any]] | str) -> Any:
    """An output as JSON values: nested lists by tensor name, or the text."""
    return output if isinstance(output, str) else {name: array.tolist() for name, array in output.items()}


def answer_json(answer: Answer) -> dict[str, Any]:
    """Everything an answer has, as JSON values; bytes are 0x hex."""
    return {
        "id": to_hex(answer.id),
        "output": output_json(answer.output),
        "outputBytes": to_hex(answer.output_bytes),
        "operator": answer.operator,
        "status": answer.status.name,
        "proven": answer.proven,
        "assurance": answer.level,
        "gap": None if answer.gap is None else gap_json(answer.gap),
        "claim": {
            "requestId": to_hex(answer.claim.request_id),
            "modelId": to_hex(answer.claim.model_id),
            "inputHash": to_hex(answer.claim.input_hash),
            "outputHash": to_hex(answer.claim.output_hash),
            "operator": answer.claim.operator,
        },
        "signature": _hex(answer.signature),
        "seal": None if answer.seal is None else to_hex(bytes(answer.seal)),
        "requestTx": to_hex(answer.request_tx),
        "deliverTx": _hex(answer.deliver_tx),
        "settleTx": _hex(answer.settle_tx),
        "fulfilTx": _hex(answer.fulfil_tx),
        "gas": {
            "request": answer.gas.request,
            "deliver": answer.gas.deliver,
            "settle": answer.gas.settle,
            "fulfil": answer.gas.fulfil,
        },
    }


def gap_json(gap: TrustGap) -> dict[str, Any]:
    """A trust gap as JSON values: unix seconds, token units."""
    return {
        "open": gap.open,
        "seconds": gap.seconds,
        "deliveredAt": gap.delivered_at,
        "challengeBy": gap.challenge_by,
        "proveBy": gap.prove_by,
        "closedAt": gap.closed_at,
        "insured": gap.insured,
        "challenger": gap.challenger,
    }


def print_provisional(answer: Answer, gap: TrustGap, live: bool, now: int) -> None:
    """An answer whose proof is still to come, with what is known about that first."""
    out.print(f"[yellow]delivered, not proven yet[/]: {gap_text(gap, answer.request, live, now)}")
    print_answer(answer)


def print_end(answer: Answer, gap: TrustGap) -> None:
    """How the gap of an answer that was printed before ended."""
    how = f"proven ({answer.level})" if answer.proven else "not proven, nobody challenged it"
    out.print(f"[green]final[/] after a trust gap of {gap.seconds} s: {how}")
    out.print(f"transaction {_hex(answer.settle_tx)}, {_gas(answer.gas.settle)} gas")


def print_answer(answer: Answer) -> None:
    """An answer as a short table."""
    table = Table.grid(padding=(0, 2))
    if isinstance(answer.output, str):
        table.add_row("answer", answer.output)
    else:
        for name, array in answer.output.items():
            table.add_row(name, np.array2string(array, precision=9, threshold=20))
    table.add_row("assurance", f"[bold]{answer.level}[/] ({assurance_text(answer.assurance)})")
    table.add_row("operator", answer.operator)
    gas = {"request": answer.gas.request, "fulfil": answer.gas.fulfil}
    if answer.gap is None:
        table.add_row("seal", "unknown" if answer.seal is None else _short(bytes(answer.seal)))
    else:
        gas = {"request": answer.gas.request, "deliver": answer.gas.deliver}
    table.add_row("gas", ", ".join(f"{what} {_gas(amount)}" for what, amount in gas.items()))
    table.add_row("transaction", _hex(answer.deliver_tx or answer.settle_tx))
    out.print(table)


def assurance_text(assurance: Assurance) -> str:
    """A hub's record in one line."""
    text = assurance.status.name.lower()
    if assurance.settled_at:
        gap = assurance.settled_at - assurance.delivered_at
        text += "" if assurance.proven else ", not proven: nobody challenged"
        text += f", trust gap {gap} s" if gap else ", no trust gap"
    return text + (", callback failed" if assurance.callback_failed else "")


def gap_text(gap: TrustGap, terms: Request, live: bool, now: int) -> str:
    """How a trust gap stands, in one line: which deadline runs, who may do what next.

    live: the route's verifier can still check a proof. now: unix seconds.
    """
    who = f", challenged by {gap.challenger}" if gap.challenger else ""
    if not gap.open:
        return f"closed after {gap.seconds} s{who}"
    match due(gap, now, live):
        case Status.REJECTED:
            text = (
                f"the proof is {now - (gap.prove_by or 0)} s late{who}: anyone may reject it (`vouch reject`)"
            )
        case Status.EXPIRED:
            text = f"its route was withdrawn{who}: anyone may end it (`vouch expire`), the fee comes back"
        case Status.SETTLED:
            text = (
                f"nobody challenged until {moment(gap.challenge_by)}: anyone may settle it (`vouch settle`)"
            )
        case _ if gap.prove_by:
            text = f"open for {gap.seconds} s{who}, the proof is due by {moment(gap.prove_by, now)}"
        case _:
            bond = f"with a bond of {money(terms.bond, terms.token)}" if terms.bond else "without a bond"
            until = moment(gap.challenge_by, now)
            text = f"open for {gap.seconds} s, anyone may challenge it until {until} {bond}"
    return text + (f"; insured {money(gap.insured, terms.token)}" if gap.insured else "; not insured")


def gap_terms_text(terms: Request) -> str:
    """What trust gap the terms allow, in one line."""
    if not terms.window and not terms.prove_within:
        return "no trust gap"
    window = f"a window of {terms.window} s for challenges, then " if terms.window else ""
    amounts = {"exposure": terms.exposure, "bond": terms.bond}
    stakes = "".join(f", {name} {money(amount, terms.token)}" for name, amount in amounts.items() if amount)
    return f"a trust gap: {window}{terms.prove_within} s for the proof{stakes}"


def moment(seconds: int | None, now: int | None = None) -> str:
    """Unix seconds as a date in UTC, with how far away it is if `now` is given."""
    shown = dt.datetime.fromtimestamp(seconds or 0, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return shown if now is None or seconds is None else f"{shown} (in {seconds - now} s)"


def money(amount: int, token: str) -> str:
    """An amount of the native token in the unit that reads best, or units of another token."""
    return wei(amount) if token == NATIVE else f"{amount} of {token}"


def _hex(data: bytes | None) -> str | None:
    return None if data is None else to_hex(data)


def _gas(gas: int | None) -> str:
    return "unknown" if gas is None else f"{gas:,}"


def _short(data: bytes) -> str:
    return f"{data[:4].decode(errors='replace')} 0x{data[4:12].hex()}… ({len(data)} bytes)"
