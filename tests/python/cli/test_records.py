"""The relayer's database, read from outside."""

from pathlib import Path

import pytest

from vouch.cli import records
from vouch.cli.records import NoRecord, UnreadableRecord, finished_record, read_record
from vouch.relayer.store import Store


def test_a_request_that_was_never_seen(tmp_path: Path) -> None:
    path = tmp_path / "relayer.sqlite"
    with Store(path):
        assert read_record(path, bytes(32)) is None


def test_a_file_that_is_not_there_or_not_a_database(tmp_path: Path) -> None:
    with pytest.raises(UnreadableRecord):
        read_record(tmp_path / "none.sqlite", bytes(32))
    (tmp_path / "junk.sqlite").write_bytes(b"junk" * 1000)
    with pytest.raises(UnreadableRecord):
        read_record(tmp_path / "junk.sqlite", bytes(32))


async def test_waiting_for_an_end_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "SECONDS", 0.1)
    path = tmp_path / "relayer.sqlite"
    with Store(path):
        with pytest.raises(NoRecord):
            await finished_record(path, bytes(32))
