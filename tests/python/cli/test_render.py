"""Answers for people and programs."""

import numpy as np

from vouch.cli.render import assurance_text, output_json
from vouch.protocol.status import Assurance, Status


def test_outputs_as_json() -> None:
    assert output_json("text") == "text"
    assert output_json({"risk": np.array([[0.25]], dtype=np.float32)}) == {"risk": [[0.25]]}


def test_assurance_in_one_line() -> None:
    def text(status: Status, delivered: int, settled: int, failed: bool = False) -> str:
        return assurance_text(Assurance(status, failed, b"SIGN", delivered, settled, bytes(18)))

    assert text(Status.REQUESTED, 0, 0) == "requested"
    assert text(Status.SETTLED, 100, 100) == "settled, no trust gap"
    assert text(Status.SETTLED, 100, 160) == "settled, trust gap 60 s"
    assert text(Status.SETTLED, 100, 100, failed=True) == "settled, no trust gap, callback failed"
