import asyncio
import os
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.python.node.asking import CHAIN_ID, HUB, OPERATOR, OTHER
from vouch.node.errors import JournalTooNew, JournalUnavailable
from vouch.node.journal import Journal, SignedAnswer
from vouch.protocol.claim import Claim

REPO = Path(__file__).parents[3]


def answer(output: bytes = b"yes", operator: str = OPERATOR, request_id: bytes = b"r" * 32) -> SignedAnswer:
    return SignedAnswer(
        Claim(request_id, b"m" * 32, b"i" * 32, b"o" * 32, operator), output, b"SIGN" + bytes(65)
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "journal.sqlite"


async def test_finds_what_was_recorded(path: Path) -> None:
    async with Journal(path) as journal:
        assert await journal.find(OPERATOR, b"r" * 32) is None
        assert await journal.record(answer(), CHAIN_ID, HUB, repeatable=True) == answer()
        assert await journal.find(OPERATOR, b"r" * 32) == answer()


async def test_the_first_answer_counts(path: Path) -> None:
    async with Journal(path) as journal:
        await journal.record(answer(b"first"), CHAIN_ID, HUB, repeatable=False)
        assert await journal.record(answer(b"second"), CHAIN_ID, HUB, repeatable=False) == answer(b"first")


async def test_the_first_answer_counts_between_two_processes_with_one_file(path: Path) -> None:
    async with Journal(path) as one, Journal(path) as two:
        await one.record(answer(b"first"), CHAIN_ID, HUB, repeatable=True)
        assert await two.record(answer(b"second"), CHAIN_ID, HUB, repeatable=True) == answer(b"first")


async def test_requests_and_operators_are_apart(path: Path) -> None:
    async with Journal(path) as journal:
        await journal.record(answer(b"a"), CHAIN_ID, HUB, repeatable=True)
        await journal.record(answer(b"b", request_id=b"s" * 32), CHAIN_ID, HUB, repeatable=True)
        await journal.record(answer(b"c", operator=OTHER), 2**255, HUB, repeatable=True)
        found = [
            await journal.find(*key)
            for key in ((OPERATOR, b"r" * 32), (OPERATOR, b"s" * 32), (OTHER, b"r" * 32))
        ]
    assert [signed.output for signed in found if signed] == [b"a", b"b", b"c"]


async def test_survives_a_restart(path: Path) -> None:
    async with Journal(path) as journal:
        await journal.record(answer(), CHAIN_ID, HUB, repeatable=True)
    async with Journal(path) as journal:
        assert await journal.find(OPERATOR, b"r" * 32) == answer()


WRITER = """
import asyncio, sys
from pathlib import Path
from tests.python.node.test_journal import CHAIN_ID, HUB, Journal, answer

async def main():
    async with Journal(Path(sys.argv[1])) as journal:
        for number in range(10_000):
            request_id = number.to_bytes(32, "big")
            await journal.record(answer(request_id=request_id), CHAIN_ID, HUB, repeatable=True)
            print(number, flush=True)

asyncio.run(main())
"""


async def test_what_was_recorded_survives_kill_9(path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{REPO / 'python'}:{REPO}"}
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(path), stdout=asyncio.subprocess.PIPE, env=environment, cwd=REPO
    )
    assert writer.stdout is not None
    recorded = -1
    while recorded < 20:
        recorded = int(await writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    recorded = max([recorded, *map(int, (await writer.stdout.read()).split())])
    assert await writer.wait() == -signal.SIGKILL
    async with Journal(path) as journal:
        for number in range(recorded + 1):
            assert await journal.find(OPERATOR, number.to_bytes(32, "big")) is not None


async def test_journal_of_a_newer_version(path: Path) -> None:
    path.parent.mkdir()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(JournalTooNew) as error:
        async with Journal(path):
            pass
    assert (error.value.received, error.value.expected) == (99, 1)


async def test_file_that_is_no_journal(path: Path) -> None:
    await asyncio.to_thread(_write_nonsense, path)
    with pytest.raises(JournalUnavailable, match="not a database"):
        async with Journal(path):
            pass


def _write_nonsense(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"something else entirely" * 100)


async def test_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalUnavailable):
        async with Journal(tmp_path / "file" / "journal.sqlite"):
            pass


async def test_write_that_fails_is_an_error_and_stores_nothing(path: Path) -> None:
    async with Journal(path) as journal:
        with sqlite3.connect(path) as db:
            db.execute(
                "CREATE TRIGGER full BEFORE INSERT ON claims BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            )
        db.close()
        with pytest.raises(JournalUnavailable, match="disk full"):
            await journal.record(answer(), CHAIN_ID, HUB, repeatable=True)
        assert await journal.find(OPERATOR, b"r" * 32) is None


async def test_journal_that_is_not_open(path: Path) -> None:
    journal = Journal(path)
    with pytest.raises(JournalUnavailable, match="not open"):
        await journal.find(OPERATOR, b"r" * 32)
