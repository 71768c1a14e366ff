import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import zk
from tests.support.circuits import model
from vouch.circuit.artefact import to_file
from vouch.circuit.model import IntegerModel
from vouch.protocol.manifest import Manifest
from vouch.protocol.packing import Packing
from vouch.protocol.zk import Circuit
from vouch.prover import acir
from vouch.prover.build import manifest
from vouch.prover.contract import VerifierCode
from vouch.prover.errors import BadCircuitFiles, UnknownBatch
from vouch.prover.files import Built, CircuitFiles
from vouch.prover.opcodes import Program
from vouch.prover.secret import Secret, WouldLoseSecret


def built(made: IntegerModel, batch: int, commitment: int = 0) -> Built:
    """Parts as large as real ones are not needed to see whether they belong together."""
    code = VerifierCode(b"creation", b"runtime %d" % batch, "dev-srs")
    packings = Packing(made.input_size, made.input_bits), Packing(made.output_size, made.output_bits)
    circuit = Circuit(code.code_hash, commitment, batch, *packings)
    plan = acir.plan(Program.parse(zk.BYTECODE))
    return Built(circuit, 2801, b"{}\n", plan, bytes(1888), code, "fn main() {}", "contract HonkVerifier {}")


def files_of(folder: Path, made: IntegerModel, *, secret: Secret | None = None) -> CircuitFiles:
    commitment = 0 if secret is None else secret.commitment
    circuits = {batch: built(made, batch, commitment) for batch in (1, 16)}
    ids = [circuit.circuit.id for circuit in circuits.values()]
    about = manifest("small", made, ids, secret)
    return CircuitFiles(folder, made, about, circuits, "dev-srs", {"solc": "0.8.37"}, {"rows": 7}, secret)


@pytest.fixture
def files(tmp_path: Path) -> CircuitFiles:
    made = files_of(tmp_path / "circuit", model())
    made.save()
    return made


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    value = json.loads(path.read_bytes())
    change(value)
    path.write_text(json.dumps(value))


def test_what_was_saved_is_read_again(files: CircuitFiles) -> None:
    again = CircuitFiles.load(files.folder)
    assert again.manifest == files.manifest
    assert again.circuits == files.circuits
    assert again.model.to_bytes() == files.model.to_bytes()
    assert (again.srs, again.versions, again.report) == ("dev-srs", {"solc": "0.8.37"}, {"rows": 7})
    assert again.secret is None
    assert again.model_id == files.manifest.model_id


def test_everything_made_with_the_development_string_says_so(files: CircuitFiles) -> None:
    assert json.loads((files.folder / "circuit.json").read_bytes())["srs"] == "dev-srs"
    assert json.loads((files.folder / "batch-1" / "verifier.json").read_bytes())["srs"] == "dev-srs"


def test_the_manifest_names_the_model_file_and_all_circuits(files: CircuitFiles) -> None:
    assert files.manifest.artefact.format == "circuit"
    assert files.manifest.zk == (files.of(1).circuit.id, files.of(16).circuit.id)
    assert (files.folder / "manifest.json").read_bytes() == bytes(files.manifest) + b"\n"


def test_secret_weights_come_with_their_salt(tmp_path: Path) -> None:
    made = model()
    files_of(tmp_path / "circuit", made, secret=Secret.of(made)).save()
    again = CircuitFiles.load(tmp_path / "circuit")
    assert again.secret is not None
    assert again.of(1).circuit.commitment == again.secret.commitment
    assert (tmp_path / "circuit").stat().st_mode & 0o077 == 0


def test_no_guess_of_secret_weights_can_be_confirmed_by_the_published_hash(tmp_path: Path) -> None:
    """The manifest is on chain: who guesses the weights may hash whatever has no salt in it."""
    made = model()
    secret = Secret.of(made)
    files_of(tmp_path / "circuit", made, secret=secret).save()
    files = CircuitFiles.load(tmp_path / "circuit")
    held = (files.folder / "model.circuit").read_bytes()
    assert made.to_bytes() in held
    assert secret.head in held
    assert files.manifest.artefact.sha256 == hashlib.sha256(held).hexdigest()
    for guess in (made.to_bytes(), held.replace(secret.head, bytes(32)), held.replace(secret.head, b"")):
        assert hashlib.sha256(guess).hexdigest() not in bytes(files.manifest).decode()


def test_another_salt_is_noticed(tmp_path: Path) -> None:
    made = model()
    seven, eight = Secret(made, 7), Secret(made, 8)
    files = files_of(tmp_path / "circuit", made, secret=seven)
    replace(files, secret=eight).save()
    with pytest.raises(BadCircuitFiles, match=r"manifest\.json: it names a model of SHA-256"):
        CircuitFiles.load(files.folder)
    other = manifest("small", made, files.manifest.zk, eight)
    replace(files, manifest=other, secret=eight).save(force=True)
    with pytest.raises(BadCircuitFiles, match=r"another commitment, expected 0x"):
        CircuitFiles.load(files.folder)


def rehashed(folder: Path, name: str, data: bytes, about: Manifest) -> None:
    """One part and the manifest changed by somebody who keeps every hash right."""
    (folder / name).write_bytes(data)
    (folder / "manifest.json").write_bytes(bytes(about) + b"\n")

    def change(index: dict[str, Any]) -> None:
        for part in (name, "manifest.json"):
            index["files"][part] = hashlib.sha256((folder / part).read_bytes()).hexdigest()
        index["modelId"] = about.model_id.hex()

    rewritten(folder / "circuit.json", change)


@pytest.mark.parametrize(
    ("salt", "held", "reason"),
    [
        (7, None, "no salt, expected the salt of secret.json in front of the weights"),
        (7, 8, "another salt, expected the salt of secret.json"),
        (None, 8, "a salt, expected the bare model"),
    ],
)
def test_a_salt_that_is_not_where_it_belongs(
    tmp_path: Path, salt: int | None, held: int | None, reason: str
) -> None:
    made = model()
    secret, other = (None if it is None else Secret(made, it) for it in (salt, held))
    files = files_of(tmp_path / "circuit", made, secret=secret)
    files.save()
    about = manifest("small", made, files.manifest.zk, other)
    rehashed(files.folder, "model.circuit", to_file(made, None if other is None else other.head), about)
    with pytest.raises(BadCircuitFiles, match=rf"model\.circuit: {reason}"):
        CircuitFiles.load(files.folder)


def salt_in(folder: Path) -> int | None:
    secret = CircuitFiles.load(folder).secret
    return None if secret is None else secret.salt


def test_secret_weights_are_replaced_only_by_force(tmp_path: Path) -> None:
    made = model()
    first, second = Secret(made, 7), Secret(made, 8)
    files_of(tmp_path / "circuit", made, secret=first).save()
    for fresh in (files_of(tmp_path / "circuit", made, secret=second), files_of(tmp_path / "circuit", made)):
        with pytest.raises(WouldLoseSecret, match=r"delivered under this circuit could never be proven"):
            fresh.save()
        assert salt_in(tmp_path / "circuit") == 7
    files_of(tmp_path / "circuit", made, secret=second).save(force=True)
    assert salt_in(tmp_path / "circuit") == 8
    assert [path.name for path in tmp_path.iterdir()] == ["circuit"]


def test_secret_weights_that_a_save_cut_short_has_put_aside_are_kept(tmp_path: Path) -> None:
    made = model()
    files_of(tmp_path / "circuit", made, secret=Secret(made, 7)).save()
    (tmp_path / "circuit").rename(tmp_path / ".circuit.old")
    with pytest.raises(WouldLoseSecret, match=r"/\.circuit\.old is a circuit with secret weights"):
        files_of(tmp_path / "circuit", made).save()
    assert (tmp_path / ".circuit.old" / "secret.json").exists()


def test_force_replaces_nothing_but_circuits(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "secret.json").write_text("of something else")
    with pytest.raises(BadCircuitFiles, match="is no circuit folder"):
        files_of(tmp_path / "home", model()).save(force=True)


def test_an_unknown_batch(files: CircuitFiles) -> None:
    with pytest.raises(UnknownBatch, match=r"proves 2 inferences at once: these are built: \[1, 16\]"):
        files.of(2)


PARTS = (
    "model.circuit",
    "manifest.json",
    *(
        f"batch-{batch}/{name}"
        for batch in (1, 16)
        for name in ("program.json", "plan", "vk", "verifier.json", "circuit.nr", "Verifier.sol")
    ),
)


@pytest.mark.parametrize("name", PARTS)
def test_a_changed_part_is_named(files: CircuitFiles, name: str) -> None:
    path = files.folder / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(
        BadCircuitFiles, match=rf"{name}: its SHA-256 is [0-9a-f]+, expected [0-9a-f]+ as"
    ) as bad:
        CircuitFiles.load(files.folder)
    assert bad.value.path == str(path)


@pytest.mark.parametrize("name", [*PARTS, "circuit.json"])
def test_a_missing_part_is_named(files: CircuitFiles, name: str) -> None:
    (files.folder / name).unlink()
    with pytest.raises(BadCircuitFiles, match=rf"{name}: No such file"):
        CircuitFiles.load(files.folder)


def test_a_part_of_another_build_is_noticed(files: CircuitFiles, tmp_path: Path) -> None:
    other = files_of(tmp_path / "other", model(seed=2))
    other.save()
    shutil.copy(other.folder / "model.circuit", files.folder / "model.circuit")
    with pytest.raises(BadCircuitFiles, match=r"model\.circuit: its SHA-256"):
        CircuitFiles.load(files.folder)


def test_the_index_of_another_build_is_noticed(files: CircuitFiles, tmp_path: Path) -> None:
    other = files_of(tmp_path / "other", model(seed=2))
    other.save()
    shutil.copy(other.folder / "circuit.json", files.folder / "circuit.json")
    with pytest.raises(BadCircuitFiles, match=r"model\.circuit: its SHA-256"):
        CircuitFiles.load(files.folder)


def test_parts_that_do_not_fit_are_noticed_even_with_the_right_hashes(tmp_path: Path) -> None:
    made, other = files_of(tmp_path / "circuit", model()), files_of(tmp_path / "other", model(seed=2))
    replace(made, manifest=other.manifest).save()
    with pytest.raises(BadCircuitFiles, match=r"manifest\.json: it names a model of SHA-256"):
        CircuitFiles.load(made.folder)
    replace(made, manifest=replace(made.manifest, zk=(bytes(32),))).save()
    with pytest.raises(BadCircuitFiles, match=r"manifest\.json: it names the circuits \['0000"):
        CircuitFiles.load(made.folder)
    replace(made, srs="aztec-ignition").save()
    with pytest.raises(BadCircuitFiles, match=r"it is of the reference string 'dev-srs', expected aztec"):
        CircuitFiles.load(made.folder)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda index: index.update(vouch=2), "version 2, expected version 1"),
        (lambda index: index.pop("files"), "no list of files"),
        (lambda index: index.pop("report"), "KeyError: 'report'"),
        (lambda index: index.update(circuits=3), "TypeError"),
        (lambda index: index.update(modelId="00"), "it names the circuits"),
        (lambda index: index["circuits"].pop(), "it names the circuits"),
        (lambda index: index["circuits"][0].update(gates="many"), "gates 'many', expected a whole number"),
        (lambda index: index["circuits"][0].update(batch="../1"), r"batch '\.\./1', expected a whole"),
        (lambda index: index["circuits"][0].update(id="00"), "'id': '00'"),
        (lambda index: index["circuits"][0].update(codeHash="00"), "'codeHash': '00'"),
        (lambda index: index["circuits"][0].update(commitment="0x1"), "'commitment': '0x1'"),
        (lambda index: index["circuits"][0].update(batch=3), "batch-3/program.json: No such file"),
        (lambda index: index["circuits"][0]["input"].update(bits=17), "'bits': 17"),
    ],
)
def test_a_changed_index_is_noticed(
    files: CircuitFiles, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    rewritten(files.folder / "circuit.json", change)
    with pytest.raises(BadCircuitFiles, match=reason):
        CircuitFiles.load(files.folder)


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_damaged_index_is_noticed(files: CircuitFiles, text: str) -> None:
    (files.folder / "circuit.json").write_text(text)
    with pytest.raises(BadCircuitFiles, match=r"circuit\.json: .*as Vouch writes it"):
        CircuitFiles.load(files.folder)


def test_a_folder_of_circuits_is_replaced_whole(files: CircuitFiles) -> None:
    (files.folder / "left over").write_text("of another version")
    files.save()
    assert not (files.folder / "left over").exists()
    assert CircuitFiles.load(files.folder).circuits == files.circuits
    assert [path.name for path in files.folder.parent.iterdir()] == ["circuit"]


def test_another_folder_is_left_alone(files: CircuitFiles, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letters").write_text("dear")
    with pytest.raises(BadCircuitFiles, match="it is there and is no circuit folder"):
        replace(files, folder=tmp_path / "home").save()
    assert (tmp_path / "home" / "letters").read_text() == "dear"
