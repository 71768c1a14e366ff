"""The process that proves, without the service around it."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.python.prover.service.asking import served
from tests.support import zk
from vouch.prover.errors import StringTooShort, ToolchainMissing, WrongString
from vouch.prover.service.prove import check


def test_everything_is_there(tmp_path: Path) -> None:
    points = zk.string().points
    check([replace(served(tmp_path), points=points)], zk.HOME)
    with pytest.raises(StringTooShort, match=f"{points} points"):
        check([replace(served(tmp_path), points=2 * points)], zk.HOME)


def test_no_toolchain(tmp_path: Path) -> None:
    with pytest.raises(ToolchainMissing, match="vouch zk setup"):
        check([served(tmp_path)], tmp_path)


def test_a_string_that_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(WrongString, match="aztec-ignition"):
        check([served(tmp_path, srs="mine")], zk.HOME)
