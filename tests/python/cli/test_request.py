"""Reading the question and the options; asking is in test_dispute and tests/e2e."""

import io
import sys
from pathlib import Path

import click
import pytest

from vouch.cli.request import TRUST, Route, _question


def test_arrays_by_name() -> None:
    assert _question('{"x": [1, 2.5]}', "tensor", "text") == {"x": [1, 2.5]}


def test_text_is_taken_as_it_is() -> None:
    assert _question('{"x": 1}', "text", "text") == '{"x": 1}'
    assert _question("hello", "text", "messages") == "hello"
    assert _question('{"messages": []}', "text", "messages") == {"messages": []}


def test_files_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.json").write_text('{"x": 1}')
    assert _question(f"@{tmp_path}/x.json", "tensor", "text") == {"x": 1}
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"x": 2}'))
    assert _question("-", "tensor", "text") == {"x": 2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no json", "no JSON"),
        ("[1]", "an object is needed"),
        ("[" * 100_000, "nested deeper"),
        ("@/nonexistent", "cannot be read"),
    ],
)
def test_what_is_no_question(text: str, said: str) -> None:
    with pytest.raises(click.BadParameter, match=said):
        _question(text, "tensor", "text")


def test_routes_and_what_they_trust() -> None:
    assert Route().convert("QRUM", None, None) == b"QRUM"
    assert TRUST.convert("0x" + "ab" * 32, None, None) == b"\xab" * 32
    for route in ("", "QRU", "QRUMS", "éééé"):
        with pytest.raises(click.BadParameter, match="four letters"):
            Route().convert(route, None, None)
    for trust, said in (("0x12", "not 1"), ("xyz", "no hex"), ("ab" * 33, "not 33")):
        with pytest.raises(click.BadParameter, match=said):
            TRUST.convert(trust, None, None)
