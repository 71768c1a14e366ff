import asyncio
import dataclasses
import os
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.python.node.asking import CHAIN_ID, HUB, OPERATOR, OTHER
from vouch.node.enclave_key import EnclaveKind, EnclaveSeal
from vouch.node.errors import JournalTooNew, JournalUnavailable
from vouch.node.journal import Cosignature, Journal, SignedAnswer
from vouch.protocol.claim import Claim

REPO = Path(__file__).parents[3]


def answer(output: bytes = b"yes", operator: str = OPERATOR, request_id: bytes = b"r" * 32) -> SignedAnswer:
    return SignedAnswer(Claim(request_id, b"m" * 32, b"i" * 32, b"o" * 32, operator), output, b"s" * 65)


def cosignature(output_hash: bytes = b"o" * 32, signer: str = OPERATOR, **changes: Any) -> Cosignature:
    claim = Claim(b"r" * 32, b"m" * 32, b"i" * 32, output_hash, OTHER)
    return Cosignature(signer, dataclasses.replace(claim, **changes), output_hash[:1] * 65)


def seal(key: str = HUB, kind: EnclaveKind = EnclaveKind.DEV, made: bytes = b"ENCL1") -> EnclaveSeal:
    return EnclaveSeal(key, kind, made)


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
    assert (error.value.received, error.value.expected) == (99, 3)


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


async def test_cosignatures_are_apart_from_answers_and_the_first_counts(path: Path) -> None:
    async with Journal(path) as journal:
        assert await journal.find_cosignature(OPERATOR, OTHER, b"r" * 32) is None
        given = cosignature()
        assert await journal.record_cosignature(given, 2**255, HUB, repeatable=False) == given
    async with Journal(path) as journal:
        again = cosignature(b"p" * 32)
        assert await journal.record_cosignature(again, CHAIN_ID, HUB, repeatable=True) == given
        assert await journal.find_cosignature(OPERATOR, OTHER, b"r" * 32) == given
        assert await journal.find(OPERATOR, b"r" * 32) is None
        assert await journal.find(OTHER, b"r" * 32) is None
        for other in (
            cosignature(b"p" * 32, signer=OTHER),
            cosignature(b"p" * 32, operator=HUB),
            cosignature(b"p" * 32, request_id=b"s" * 32),
        ):
            assert await journal.record_cosignature(other, CHAIN_ID, HUB, repeatable=True) == other


async def test_the_first_cosignature_counts_between_two_processes_with_one_file(path: Path) -> None:
    async with Journal(path) as one, Journal(path) as two:
        given = await one.record_cosignature(cosignature(), CHAIN_ID, HUB, repeatable=True)
        assert await two.record_cosignature(cosignature(b"p" * 32), CHAIN_ID, HUB, repeatable=True) == given


async def test_the_first_run_is_kept(path: Path) -> None:
    async with Journal(path) as one, Journal(path) as two:
        assert await one.find_output(OPERATOR, b"r" * 32) is None
        assert await one.record_run(b"r" * 32, b"") == b""
        assert await two.record_run(b"r" * 32, b"second") == b""
        assert await two.record_run(b"s" * 32, b"third") == b"third"
        assert await two.find_output(OPERATOR, b"r" * 32) == b""


async def test_an_answer_is_a_run_too_and_goes_first(path: Path) -> None:
    async with Journal(path) as journal:
        await journal.record_run(b"r" * 32, b"run")
        await journal.record(answer(b"answer"), CHAIN_ID, HUB, repeatable=True)
        assert await journal.find_output(OPERATOR, b"r" * 32) == b"answer"
        assert await journal.find_output(OTHER, b"r" * 32) == b"run"


async def test_seals_of_the_claim_that_counts_are_kept_one_per_key(path: Path) -> None:
    first, later = seal(), seal(OTHER, EnclaveKind.NITRO, b"ENCL2")
    async with Journal(path) as journal:
        assert await journal.find_seals(OPERATOR, b"r" * 32) == ()
        for sealed in (first, later, seal(made=b"ENCL3")):
            given = dataclasses.replace(answer(), sealed=sealed)
            assert await journal.record(given, CHAIN_ID, HUB, repeatable=False) == given
    async with Journal(path) as journal:
        assert await journal.find(OPERATOR, b"r" * 32) == answer()
        assert await journal.find_seals(OPERATOR, b"r" * 32) == (first, later)
        assert await journal.find_seals(OTHER, b"r" * 32) == ()
        assert await journal.find_seals(OPERATOR, b"s" * 32) == ()


async def test_of_another_claim_no_seal_is_kept(path: Path) -> None:
    other = dataclasses.replace(answer().claim, output_hash=b"p" * 32)
    async with Journal(path) as one, Journal(path) as two:
        await one.record(answer(), CHAIN_ID, HUB, repeatable=True)
        given = SignedAnswer(other, b"no", b"s" * 65, seal())
        assert await two.record(given, CHAIN_ID, HUB, repeatable=True) == answer()
        assert await one.find_seals(OPERATOR, b"r" * 32) == ()


async def test_an_answer_is_not_stored_without_its_seal(path: Path) -> None:
    given = dataclasses.replace(answer(), sealed=seal())
    async with Journal(path) as journal:
        with sqlite3.connect(path) as db:
            db.execute(
                "CREATE TRIGGER full BEFORE INSERT ON enclave_seals "
                "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            )
        db.close()
        with pytest.raises(JournalUnavailable, match="disk full"):
            await journal.record(given, CHAIN_ID, HUB, repeatable=True)
        assert await journal.find(OPERATOR, b"r" * 32) is None
        with sqlite3.connect(path) as db:
            db.execute("DROP TRIGGER full")
        db.close()
        assert await journal.record(given, CHAIN_ID, HUB, repeatable=True) == given


@pytest.mark.parametrize(("repeatable", "level"), [(True, 1), (False, 2)])
async def test_what_cannot_be_had_again_waits_for_the_disk(path: Path, repeatable: bool, level: int) -> None:
    async with Journal(path) as journal:
        for record in (
            journal.record(answer(), CHAIN_ID, HUB, repeatable=repeatable),
            journal.record(
                dataclasses.replace(answer(), sealed=seal()), CHAIN_ID, HUB, repeatable=repeatable
            ),
            journal.record_cosignature(cosignature(), CHAIN_ID, HUB, repeatable=repeatable),
        ):
            await journal.record_run(b"r" * 32, b"run")
            await record
            found = await journal._do(lambda: journal._connection.execute("PRAGMA synchronous").fetchone())
            assert found == (level,)


FIRST_SCHEMA = """
CREATE TABLE claims (
    operator BLOB NOT NULL,
    request_id BLOB NOT NULL,
    chain_id TEXT NOT NULL,
    hub TEXT NOT NULL,
    model_id BLOB NOT NULL,
    input_hash BLOB NOT NULL,
    output_hash BLOB NOT NULL,
    output BLOB NOT NULL,
    seal BLOB NOT NULL,
    signed_at_ns INTEGER NOT NULL,
    PRIMARY KEY (operator, request_id)
) STRICT
"""


def first_version(path: Path, *, number: int = 1) -> None:
    """A journal as the first version wrote it, with `answer()` in it."""
    path.parent.mkdir(exist_ok=True)
    claim = answer().claim
    hashes = (claim.model_id, claim.input_hash, claim.output_hash)
    keys = (bytes.fromhex(OPERATOR[2:]), claim.request_id, str(CHAIN_ID), HUB)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(FIRST_SCHEMA)
        row = (*keys, *hashes, b"yes", b"SIGN" + b"s" * 65, 1)
        db.execute("INSERT INTO claims VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        db.execute(f"PRAGMA user_version = {number}")


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        found: int = db.execute("PRAGMA user_version").fetchone()[0]
    return found


# The first version made its table before it wrote its number, so a kill in between left 0.
@pytest.mark.parametrize("number", [0, 1])
async def test_a_journal_of_the_first_version_is_added_to(path: Path, number: int) -> None:
    first_version(path, number=number)
    for _ in range(2):
        async with Journal(path) as journal:
            assert await journal.find(OPERATOR, b"r" * 32) == answer()
            again = answer(b"other")
            assert await journal.record(again, CHAIN_ID, HUB, repeatable=True) == answer()
            assert await journal.find_output(OPERATOR, b"r" * 32) == b"yes"
            given = cosignature()
            assert await journal.record_cosignature(given, CHAIN_ID, HUB, repeatable=True) == given
            sealed = dataclasses.replace(answer(), sealed=seal())
            assert await journal.record(sealed, CHAIN_ID, HUB, repeatable=True) == sealed
            assert await journal.find_seals(OPERATOR, b"r" * 32) == (seal(),)
        assert version_of(path) == 3


async def test_two_processes_upgrade_one_journal(path: Path) -> None:
    first_version(path)

    async def opened() -> SignedAnswer | None:
        async with Journal(path) as journal:
            return await journal.find(OPERATOR, b"r" * 32)

    assert await asyncio.gather(*(opened() for _ in range(4))) == [answer()] * 4


async def test_an_upgrade_that_fails_changes_nothing(path: Path) -> None:
    first_version(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE cosignatures (in_the_way TEXT)")
    with pytest.raises(JournalUnavailable, match="cosignatures already exists"):
        async with Journal(path):
            pass
    assert version_of(path) == 1
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT name FROM sqlite_master WHERE name = 'runs'").fetchone() is None
        db.execute("DROP TABLE cosignatures")
    async with Journal(path) as journal:
        assert await journal.find(OPERATOR, b"r" * 32) == answer()
