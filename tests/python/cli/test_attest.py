"""`vouch attest` off chain, as a person types it."""

import json
import time
from pathlib import Path

import pytest

from tests.python.cli.attesting import IMAGE, Machine, machine
from tests.python.cli.test_main import run
from vouch.attestation.verify import AWS_ROOT
from vouch.protocol.enclave import nonce, user_data
from vouch.protocol.keccak import keccak

KEYS, OPERATOR = "0x" + "11" * 20, "0x" + "22" * 20
BOUND = {"user_data": user_data(5, KEYS, OPERATOR, b"tls"), "nonce": nonce(7, b"\x33" * 32)}
HOURS = 3600


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("attest")


@pytest.fixture(scope="module")
def made(folder: Path) -> Machine:
    return machine(folder / "authority", at=int(time.time()))


@pytest.fixture(scope="module")
def old(made: Machine) -> Machine:
    """Another enclave, whose leaf has expired."""
    return Machine(made.authority, made.at - 4 * HOURS)


def test_explaining_says_who_when_which_image_and_whose_root(made: Machine, tmp_path: Path) -> None:
    done = run("attest", "explain", made.file(tmp_path, **BOUND))
    assert done.exit_code == 0, done.output
    for line in (
        f"Document of {made.instance.module_id}, made 20",
        f"Image 0x{IMAGE.hex()}, of",
        f"Key {made.key.identity.id}, on SECP256K1",
        f"Bound to operator {OPERATOR}, EnclaveKeys {KEYS}, chain 5, and 3 bytes more",
        f"Made after block 7, 0x{'33' * 32}",
        "  0 dev.nitro-enclaves: from 2019-10-28",
        "Verified: signed under this root",
        f"Its root is not AWS's, 0x{made.authority.fingerprint.hex()}: for development",
    ):
        assert line in done.output, done.output


def test_explaining_for_programs(made: Machine, tmp_path: Path) -> None:
    path = made.file(tmp_path, **BOUND)
    told = json.loads(run("attest", "explain", path, "--json").output)
    document = made.document(**BOUND)
    assert told["imageId"] == "0x" + IMAGE.hex()
    assert told["key"] == {"id": made.key.identity.id, "curve": "secp256k1"}
    assert told["binding"] == {"chainId": 5, "keys": KEYS, "operator": OPERATOR, "extra": "0x746c73"}
    assert told["block"] == {"number": 7, "hash": "0x" + "33" * 32}
    assert told["certificates"] == ["0x" + keccak(der).hex() for der in document.certificates]
    assert told["root"] == {"fingerprint": "0x" + made.authority.fingerprint.hex(), "aws": False}
    assert (told["verified"], told["refusal"], told["debug"]) == (True, None, False)
    plain = json.loads(run("attest", "explain", made.file(tmp_path, public_key=None), "--json").output)
    assert (plain["key"], plain["binding"], plain["block"]) == (None, None, None)


def test_explaining_an_old_document_is_about_its_own_time(old: Machine, tmp_path: Path) -> None:
    assert "Verified: signed under this root" in run("attest", "explain", old.file(tmp_path)).output


def test_verifying_is_about_the_root_that_one_trusts(made: Machine, folder: Path, tmp_path: Path) -> None:
    path, dev = made.file(tmp_path), f"dev:{folder / 'authority'}"
    done = run("attest", "verify", path)
    assert done.exit_code == 1
    assert done.output.startswith("error: Refused: WrongRoot: the chain starts with the root 0x")
    assert AWS_ROOT.hex() in done.output
    for root in (dev, made.authority.fingerprint.hex()):
        done = run("attest", "verify", path, "--root", root)
        assert done.exit_code == 0, done.output
        assert "Verified: signed under this root, and valid up to 20" in done.output


def test_verifying_now_or_at_the_documents_time(old: Machine, folder: Path, tmp_path: Path) -> None:
    root = ("--root", f"dev:{folder / 'authority'}")
    done = run("attest", "verify", old.file(tmp_path), *root)
    assert done.exit_code == 1
    assert "CertificateExpired: certificate 4 has expired" in done.output
    assert "let the enclave make a new document" in done.output
    assert run("attest", "verify", old.file(tmp_path), *root, "--at", "document").exit_code == 0


def test_verifying_a_forgery(made: Machine, folder: Path, tmp_path: Path) -> None:
    path = Path(made.file(tmp_path))
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    told = run("attest", "verify", str(path), "--root", f"dev:{folder / 'authority'}", "--json")
    assert told.exit_code == 1
    found = json.loads(told.stdout)
    assert found["verified"] is False
    assert found["refusal"]["name"] == "WrongSignature"


def test_debug_mode_is_never_good(made: Machine, folder: Path, tmp_path: Path) -> None:
    done = run("attest", "verify", made.file(tmp_path, pcrs={}), "--root", f"dev:{folder / 'authority'}")
    assert done.exit_code == 1
    assert "debug mode" in done.output
    assert "--debug-mode" in done.output


def test_hints_are_made_once(made: Machine, tmp_path: Path) -> None:
    path, output = made.file(tmp_path), str(tmp_path / "hints.json")
    first = run("attest", "hints", path, "-o", output)
    assert first.exit_code == 0, first.output
    assert first.output.count("hints made for") == 5
    again = run("attest", "hints", path, "-o", output)
    assert "5 of 5 hints are in" in again.output
    assert "hints made for" not in again.output


def test_the_image_id_alone_is_printed(made: Machine, tmp_path: Path) -> None:
    assert run("attest", "image", made.file(tmp_path)).output == f"0x{IMAGE.hex()}\n"
    assert run("attest", "image", "00", "11").exit_code == 1


def test_an_authority_is_made_once(tmp_path: Path) -> None:
    folder = str(tmp_path / "authority")
    assert "made a development authority" in run("attest", "dev-authority", folder).output
    again = run("attest", "dev-authority", folder)
    assert again.exit_code == 1
    assert "already has an authority.pem" in again.output


def test_what_is_no_document_is_one_error(tmp_path: Path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0")
    done = run("attest", "verify", str(path))
    assert done.exit_code == 1
    assert done.output.startswith(f"error: {path} is no attestation document\n")
    assert "Traceback" not in done.output
    assert run("attest", "verify", str(tmp_path / "none")).exit_code == 2


@pytest.mark.parametrize(
    "command", ["explain", "verify", "hints", "image", "dev-authority", "fetch", "register"]
)
def test_help(command: str) -> None:
    done = run("attest", command, "--help")
    assert done.exit_code == 0
    assert len(done.output) > 200
