"""A document is read in whatever form it comes, and a wrong one is named."""

import base64
import io
import json
import time
from pathlib import Path

import click
import pytest

from tests.python.cli.attesting import IMAGE, Machine, machine
from vouch.attestation.dev import DevAuthority, NoAuthority
from vouch.attestation.document import Document
from vouch.attestation.verify import AWS_ROOT
from vouch.cli.attest_input import (
    DocumentFile,
    Hash,
    KeyId,
    NoImage,
    Root,
    Unreadable,
    document_of,
    image_of,
    read,
)
from vouch.node.enclave import DEV_PCRS

HEX = [DEV_PCRS[number].hex() for number in range(3)]


@pytest.fixture(scope="module")
def made() -> Machine:
    return machine(at=int(time.time()))


@pytest.fixture(scope="module")
def document(made: Machine) -> Document:
    return made.document()


def lines(text: str) -> bytes:
    return "\n".join(text[i : i + 76] for i in range(0, len(text), 76)).encode() + b"\n"


def test_every_form_is_the_same_document(document: Document) -> None:
    raw = document.raw
    forms = {
        "binary": raw,
        "tagged": b"\xd2" + raw,
        "hex": raw.hex().encode(),
        "0x": b"0x" + raw.hex().upper().encode(),
        "hex in lines": lines(raw.hex()),
        "base64": lines(base64.b64encode(raw).decode()),
        "base64 for addresses": base64.urlsafe_b64encode(raw),
        "a node's reply": json.dumps({"enclave": "dev", "document": "0x" + raw.hex()}).encode(),
    }
    for name, form in forms.items():
        assert document_of(form, name).payload == document.payload, name


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "it is empty"),
        (b"no document, but text", "give it as the module made it"),
        (b'{"error": "no"}', "give it as the module made it"),
        (b"\x84\x01", "UnexpectedType: at byte 1"),
        (b"\x00\xff\xfe", "UnexpectedType: at byte 0"),
        (b"hEShATgioFkCAA==", "Truncated: at byte"),
    ],
)
def test_what_is_none_is_refused_by_name(raw: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said) as caught:
        document_of(raw, "my.doc")
    assert str(caught.value).startswith("my.doc is no attestation document\n")


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(click.BadParameter, match="cannot be read"):
        DocumentFile().convert(str(tmp_path / "none"), None, None)


def test_standard_input(monkeypatch: pytest.MonkeyPatch, document: Document) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(document.raw)))
    assert read("-") == document.raw


def test_roots(tmp_path: Path) -> None:
    authority = DevAuthority.create(folder=tmp_path)
    kind = Root()
    assert kind.convert("aws", None, None) == AWS_ROOT
    assert kind.convert(f"dev:{tmp_path}", None, None) == authority.fingerprint
    colons = AWS_ROOT.hex(":").upper()
    for text in (AWS_ROOT.hex(), "0x" + AWS_ROOT.hex(), colons):
        assert kind.convert(text, None, None) == AWS_ROOT
    for wrong in ("AWS", "dev:", "dev", "12", AWS_ROOT.hex() + "00"):
        with pytest.raises(click.BadParameter, match="write aws, dev:FOLDER or"):
            kind.convert(wrong, None, None)
    with pytest.raises(NoAuthority):
        kind.convert(f"dev:{tmp_path / 'none'}", None, None)


def test_ids_and_hashes() -> None:
    assert Hash().convert("0x" + "ab" * 32, None, None) == b"\xab" * 32
    assert KeyId().convert("0x" + "ab" * 20, None, None) == "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"
    for kind, wrong in ((Hash(), "ab" * 31), (Hash(), "zz" * 32), (KeyId(), "ab" * 32), (KeyId(), "me")):
        with pytest.raises(click.BadParameter, match="hex digits"):
            kind.convert(wrong, None, None)


def test_image_ids_from_a_document_a_build_or_three_values(tmp_path: Path, made: Machine) -> None:
    measured = {"HashAlgorithm": "Sha384 { ... }", **{f"PCR{i}": pcr for i, pcr in enumerate(HEX)}}
    built = tmp_path / "build.json"
    built.write_text("Start building the Enclave Image...\n" + json.dumps({"Measurements": measured}))
    assert image_of([made.file(tmp_path)]) == image_of([str(built)]) == image_of(HEX) == IMAGE


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (HEX[:2], "2 values, not 1 or 3"),
        ([*HEX[:2], HEX[2][:-2]], "PCRs 0, 1 and 2 have 48 bytes each"),
        ([*HEX[:2], "what?"], "PCRs 0, 1 and 2 have 48 bytes each"),
        (["00" * 48] * 3, "debug mode, in which nothing is measured"),
    ],
)
def test_no_image(words: list[str], why: str) -> None:
    with pytest.raises(NoImage, match=why):
        image_of(words)


def test_no_image_in_a_document(tmp_path: Path, made: Machine) -> None:
    with pytest.raises(NoImage, match="debug mode"):
        image_of([made.file(tmp_path, pcrs={})])
    with pytest.raises(NoImage, match="48 bytes each"):
        image_of([made.file(tmp_path, pcrs=DEV_PCRS | {1: bytes(32)})])
    (tmp_path / "half.json").write_text(json.dumps({"Measurements": {"PCR0": HEX[0]}}))
    with pytest.raises(NoImage, match="48 bytes each"):
        image_of([str(tmp_path / "half.json")])
