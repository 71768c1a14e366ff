"""Answers for people and for programs."""

from typing import Any

import numpy as np
from rich.table import Table

from vouch.chain.hexes import to_hex
from vouch.cli.console import out
from vouch.client import Answer
from vouch.protocol.status import Assurance


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
        "assurance": answer.level,
        "claim": {
            "requestId": to_hex(answer.claim.request_id),
            "modelId": to_hex(answer.claim.model_id),
            "inputHash": to_hex(answer.claim.input_hash),
            "outputHash": to_hex(answer.claim.output_hash),
            "operator": answer.claim.operator,
        },
        "seal": None if answer.seal is None else to_hex(bytes(answer.seal)),
        "requestTx": to_hex(answer.request_tx),
        "fulfilTx": to_hex(answer.fulfil_tx),
        "gas": {"request": answer.gas.request, "fulfil": answer.gas.fulfil},
    }


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
    table.add_row("seal", "unknown" if answer.seal is None else _short(bytes(answer.seal)))
    table.add_row("gas", f"request {_gas(answer.gas.request)}, fulfil {_gas(answer.gas.fulfil)}")
    table.add_row("transaction", to_hex(answer.fulfil_tx))
    out.print(table)


def assurance_text(assurance: Assurance) -> str:
    """A hub's record in one line."""
    text = assurance.status.name.lower()
    if assurance.settled_at:
        gap = assurance.settled_at - assurance.delivered_at
        text += f", trust gap {gap} s" if gap else ", no trust gap"
    return text + (", callback failed" if assurance.callback_failed else "")


def _gas(gas: int | None) -> str:
    return "unknown" if gas is None else f"{gas:,}"


def _short(data: bytes) -> str:
    return f"{data[:4].decode(errors='replace')} 0x{data[4:12].hex()}… ({len(data)} bytes)"
