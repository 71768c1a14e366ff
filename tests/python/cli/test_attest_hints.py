"""Hints are made once: what a file has and fits is kept, the rest is made."""

import json
import time
from pathlib import Path

import pytest

from tests.python.cli.attesting import Machine, machine
from vouch.attestation.document import parse
from vouch.attestation.errors import NotTrusted
from vouch.attestation.evidence import hints as evidence
from vouch.cli.attest_hints import BadHints, HintBook


@pytest.fixture(scope="module")
def made() -> Machine:
    return machine(at=int(time.time()))


def saved(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def test_they_are_those_of_the_library_and_in_the_file_one_by_one(
    made: Machine, tmp_path: Path
) -> None:
    document, path, said = made.document(), tmp_path / "hints.json", list[str]()
    book = HintBook.open(document, said.append, path)
    await book.hint(1)
    assert [bool(len(hint) > 2) for hint in json.loads(path.read_text())["hints"]] == [True] + [False] * 4
    assert await book.hints() == evidence(document)
    assert await book.hints(skip=3) == evidence(document, skip=3)
    assert len(said) == 5
    assert said[0].startswith("hints made for certificate 1 of 4: 15,")
    assert said[4].startswith("hints made for the document: 15,")
    assert saved(tmp_path) == ["hints.json"], "no drafts are left"


async def test_another_run_goes_on_where_one_was_cut_short(made: Machine, tmp_path: Path) -> None:
    document, path = made.document(), tmp_path / "hints.json"
    first = HintBook.open(document, lambda _: None, path)
    await first.hint(1)
    await first.hint(2)
    said = list[str]()
    second = HintBook.open(document, said.append, path)
    assert said == [f"2 of 5 hints are in {path} already"]
    assert second.made == first.made


async def test_a_renewed_document_keeps_those_of_its_certificates(made: Machine, tmp_path: Path) -> None:
    path = tmp_path / "hints.json"
    await HintBook.open(made.document(), lambda _: None, path).hints()
    renewed = HintBook.open(made.document(nonce=b"new"), lambda _: None, path)
    assert sorted(renewed.made) == [1, 2, 3, 4]


async def test_what_does_not_fit_is_made_anew(made: Machine, tmp_path: Path) -> None:
    path = tmp_path / "hints.json"
    book = HintBook.open(made.document(), lambda _: None, path)
    good = await book.hint(1)
    bent = bytearray(good)
    bent[-1] ^= 1
    path.write_text(json.dumps({"format": 1, "hints": [bent.hex(), "", "00", good.hex()] + [good.hex()] * 9}))
    again = HintBook.open(made.document(), lambda _: None, path)
    assert again.made == {}
    assert await again.hint(1) == good


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("nothing", "Expecting value"),
        ("[]", "no hints of format 1"),
        ('{"format": 2, "hints": []}', "no hints of format 1"),
        ('{"format": 1, "hints": ["xy"]}', "not all hex"),
        ('{"format": 1, "hints": [3]}', "not all hex"),
    ],
)
def test_a_file_of_something_else_is_left_alone(
    content: str, why: str, made: Machine, tmp_path: Path
) -> None:
    path = tmp_path / "precious"
    path.write_text(content)
    with pytest.raises(BadHints, match=why):
        HintBook.open(made.document(), lambda _: None, path)
    assert path.read_text() == content


async def test_there_are_none_for_a_signature_that_is_not_valid(made: Machine) -> None:
    raw = made.document().raw
    forged = parse(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(NotTrusted, match="WrongSignature: signature 5 "):
        await HintBook.open(forged, lambda _: None).hint(5)
