import hashlib
import json
import shutil
import threading
from pathlib import Path

import pytest

from tests.support import zk
from vouch.protocol.zk import FIELD
from vouch.prover import bn254, srs
from vouch.prover.errors import StringDamaged, StringTooShort
from vouch.prover.srs import (
    CANONICAL,
    DESCRIPTION,
    DEV,
    G1_FILE,
    G2_FILE,
    WARNING_FILE,
    ReferenceString,
    StringFiles,
)

SEED = int.from_bytes(hashlib.sha512(b"vouch insecure dev-srs").digest(), "big") % FIELD


@pytest.fixture
def short(string: ReferenceString, tmp_path: Path) -> Path:
    """A home whose development string has 8,192 points of the real one's."""
    data = (string.folder / G1_FILE).read_bytes()[: 8192 * 64]
    (tmp_path / DEV).mkdir()
    (tmp_path / DEV / G1_FILE).write_bytes(data)
    shutil.copy(string.folder / G2_FILE, tmp_path / DEV)
    said = {"kind": DEV, "points": 8192, "sha256": hashlib.sha256(data).hexdigest()}
    (tmp_path / DEV / DESCRIPTION).write_text(json.dumps(said))
    return tmp_path


def point(string: ReferenceString, index: int) -> bn254.Point:
    data = (string.folder / G1_FILE).read_bytes()[64 * index : 64 * index + 64]
    return int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")


def test_its_points_are_the_powers_of_one_secret(string: ReferenceString) -> None:
    assert string.points == 1 << 14
    assert point(string, 0) == bn254.G1
    for index in (1, 2, 4095, 4096, 16383):
        assert point(string, index) == bn254.multiply(pow(SEED, index, FIELD), bn254.G1)
    (x0, x1), (y0, y1) = bn254.multiply_g2(SEED)
    assert string.g2 == (x1, x0, y1, y0)


def test_the_development_string_says_that_it_is_insecure(string: ReferenceString) -> None:
    assert string.folder.name == "dev-srs"
    assert string.name == "dev-srs"
    assert "INSECURE" in (string.folder / WARNING_FILE).read_text()


def test_it_grows_from_where_it_is(short: Path, string: ReferenceString) -> None:
    with (short / DEV / G1_FILE).open("ab") as file:
        file.write(b"half a step that a crash left behind")
    said: list[str] = []
    grown = srs.ensure_dev(short, 8193, said.append)
    assert said[0] == "making 8,192 points of the insecure development string"
    assert said[-1] == "development string: 16,384 of 16,384 points"
    assert grown.points == 1 << 14
    assert (grown.folder / G1_FILE).read_bytes() == (string.folder / G1_FILE).read_bytes()
    assert srs.open(short, DEV) == grown


def test_it_is_not_made_again(short: Path) -> None:
    said: list[str] = []
    assert srs.ensure_dev(short, 8192, said.append).points == 8192
    assert said == []


def test_a_stopped_step_leaves_the_string_of_before(short: Path) -> None:
    files = StringFiles(short / DEV, DEV)
    before = files.check()

    def stopped() -> list[bn254.Point]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.append(stopped())
    assert srs.open(short, DEV) == before


def test_two_at_once_make_it_once(tmp_path: Path) -> None:
    made: list[ReferenceString] = []
    said: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(srs.ensure_dev(tmp_path, 64, said.append)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made[0] == made[1] == srs.open(tmp_path, DEV)
    assert sum(line.startswith("making") for line in said) == 1
    assert (made[0].folder / G1_FILE).stat().st_size == 64 * 64


def test_no_string_yet(tmp_path: Path) -> None:
    with pytest.raises(
        StringTooShort, match=r"there is no reference string in .*: run `vouch zk setup --dev-srs`"
    ):
        srs.open(tmp_path, DEV)


def test_too_few_points(string: ReferenceString) -> None:
    string.require(1 << 14)
    with pytest.raises(
        StringTooShort, match=r"has 16384 points, 16385 are needed: run .* with a larger --gates"
    ):
        string.require((1 << 14) + 1)


def test_a_changed_point_is_noticed(short: Path) -> None:
    path = short / DEV / G1_FILE
    data = bytearray(path.read_bytes())
    data[5000 * 64] ^= 1
    path.write_bytes(data)
    with pytest.raises(StringDamaged, match=r"bn254_g1\.dat has not the hash"):
        srs.open(short, DEV)
    with pytest.raises(StringDamaged, match=r"bn254_g1\.dat has not the hash"):
        srs.ensure_dev(short, 16384)


def test_a_file_that_is_too_short_is_noticed(short: Path) -> None:
    path = short / DEV / G1_FILE
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StringDamaged, match=r"bn254_g1\.dat has not the hash"):
        srs.open(short, DEV)


def test_a_changed_g2_is_noticed(short: Path) -> None:
    (short / DEV / G2_FILE).write_bytes(bytes(128))
    with pytest.raises(StringDamaged, match=r"bn254_g2\.dat is not that of the string"):
        srs.open(short, DEV)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": "dev-srs", "points": "x", "sha256": ""}'])
def test_a_damaged_description_is_noticed(short: Path, text: str) -> None:
    (short / DEV / DESCRIPTION).write_text(text)
    with pytest.raises(StringDamaged, match=r"string\.json is not what Vouch writes"):
        srs.open(short, DEV)


def test_a_string_of_the_other_kind_is_refused(short: Path) -> None:
    (short / DEV).rename(short / CANONICAL)
    with pytest.raises(StringDamaged, match="it is of kind 'dev-srs'"):
        srs.open(short, CANONICAL)


def test_a_missing_file_is_noticed(short: Path) -> None:
    (short / DEV / G1_FILE).unlink()
    with pytest.raises(StringDamaged, match="No such file"):
        srs.open(short, DEV)


def test_an_unknown_kind(tmp_path: Path) -> None:
    with pytest.raises(StringDamaged, match="'perpetual' is no kind of reference string"):
        srs.open(tmp_path, "perpetual")


def test_the_canonical_g2_is_no_development_one(string: ReferenceString) -> None:
    assert not set(srs.g2_of(CANONICAL)) & set(string.g2)
    x1, x0, y1, y0 = srs.g2_of(CANONICAL)
    assert zk.on_twist((x0, x1), (y0, y1))
