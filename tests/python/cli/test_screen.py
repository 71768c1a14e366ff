"""Steps and checks on the screen."""

import time

import pytest

from vouch.cli.console import Failed
from vouch.cli.screen import progress, report


def test_steps_have_their_time(capsys: pytest.CaptureFixture[str]) -> None:
    progress(time.monotonic() - 100)("starting")
    (line,) = capsys.readouterr().out.splitlines()
    assert line.split()[1:] == ["s", "starting"]
    assert float(line.split()[0]) >= 100


def test_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    report({"one is one": True, "two is two": True})
    assert capsys.readouterr().out.splitlines() == ["", "Checked", "  yes  one is one", "  yes  two is two"]


def test_one_thing_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Failed, match="not as it should be:\ntwo is three") as caught:
        report({"one is one": True, "two is three": False})
    assert caught.value.exit_code == 1
    assert "  NO   two is three" in capsys.readouterr().out.splitlines()
