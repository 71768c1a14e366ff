import re
from enum import IntEnum
from pathlib import Path

import pytest

from vouch.protocol.status import Gate, Status

TYPES = Path(__file__).parents[3] / "contracts" / "types"


@pytest.mark.parametrize(("enum", "file"), [(Status, "Status.sol"), (Gate, "Request.sol")])
def test_members_are_those_of_solidity(enum: type[IntEnum], file: str) -> None:
    source = (TYPES / file).read_text()
    body = re.search(rf"enum {enum.__name__} {{(.*?)\n}}", source, re.DOTALL)
    assert body is not None
    theirs = re.findall(r"^\s+(\w+),?", body[1], re.MULTILINE)
    assert [member.name.replace("_", "").lower() for member in enum] == [name.lower() for name in theirs]
    assert [member.value for member in enum] == list(range(len(theirs)))


def test_ends() -> None:
    assert [status.name for status in Status if status.ended] == ["SETTLED", "EXPIRED", "REJECTED"]
