from pathlib import Path

import pytest

from scripts.toolchain.stamp import Stamp, digest


def test_digest_follows_the_contents_of_files(tmp_path: Path) -> None:
    lock = tmp_path / "run.txt"
    lock.write_text("a==1\n")
    before = digest("3.11", lock)
    assert digest("3.11", lock) == before
    lock.write_text("a==2\n")
    assert digest("3.11", lock) != before


def test_digest_tells_a_missing_file_from_an_empty_one(tmp_path: Path) -> None:
    lock = tmp_path / "run.txt"
    missing = digest(lock)
    lock.touch()
    assert digest(lock) != missing


def test_digest_keeps_its_inputs_apart() -> None:
    assert digest("ab", "c") != digest("a", "bc")


def test_stamp_is_written_when_the_step_ends(tmp_path: Path) -> None:
    stamp = Stamp("npm", tmp_path / "stamps")
    assert stamp.read() is None
    with stamp.redo("one"):
        assert stamp.read() is None
    assert stamp.read() == "one"


def test_a_step_cut_short_leaves_no_stamp(tmp_path: Path) -> None:
    stamp = Stamp("npm", tmp_path)
    stamp.write("old")
    with pytest.raises(KeyboardInterrupt), stamp.redo("new"):
        raise KeyboardInterrupt
    assert stamp.read() is None
