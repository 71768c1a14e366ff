import logging

import pytest

from tests.python.node.asking import OPERATOR
from tests.python.node.conftest import StartEnclave
from tests.python.node.sources import Cut, Twisted
from vouch.node.enclave import DEV_PCRS, Enclave
from vouch.node.enclave_key import EnclaveKind
from vouch.node.errors import NotAttested
from vouch.protocol.enclave import Curve

KEYS = "0x2222222222222222222222222222222222222222"


async def test_a_start_says_what_it_is(start_enclave: StartEnclave, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        enclave = await start_enclave()
    mine = [record.getMessage() for record in caplog.records if record.name == "vouch.node.enclave"]
    assert all(message.startswith("dev enclave: ") for message in mine)
    assert enclave.key.identity.id in mine[0]
    assert enclave.image_id.hex() in mine[0]
    assert "ordinary process" in mine[1]
    assert len(mine) == 2


async def test_documents_are_logged(start_enclave: StartEnclave, caplog: pytest.LogCaptureFixture) -> None:
    enclave = await start_enclave()
    caplog.clear()
    with caplog.at_level(logging.INFO):
        await enclave.attest(OPERATOR, 1, KEYS, 7, b"b" * 32)
    said = f"dev enclave: attested key {enclave.key.identity.id} for {KEYS} on chain 1 after block 7"
    assert said in caplog.messages


async def test_the_key_is_another_after_each_start_and_the_image_is_not(start_enclave: StartEnclave) -> None:
    first, later = await start_enclave(), await start_enclave()
    assert first.key.identity != later.key.identity
    assert first.image_id == later.image_id


@pytest.mark.parametrize("part", ["public_key", "user_data", "nonce"])
async def test_a_document_about_something_else_is_not_handed_on(
    start_enclave: StartEnclave, part: str
) -> None:
    twisted = Twisted((await start_enclave()).attester)
    enclave = await Enclave.start(EnclaveKind.DEV, Curve.SECP256K1, twisted)
    twisted.part = part
    with pytest.raises(NotAttested, match=f"dev enclave: the document's {part} is not the one"):
        await enclave.attest(OPERATOR, 1, KEYS, 7, b"b" * 32)
    twisted.part = ""
    assert (await enclave.attest(OPERATOR, 1, KEYS, 7, b"b" * 32)).public_key == enclave.key.identity.spki


async def test_bytes_that_are_no_document_stop_the_start(start_enclave: StartEnclave) -> None:
    with pytest.raises(NotAttested, match="dev enclave: "):
        await Enclave.start(EnclaveKind.DEV, Curve.P256, Cut((await start_enclave()).attester))


async def test_without_an_image_there_is_no_enclave(start_enclave: StartEnclave) -> None:
    with pytest.raises(NotAttested, match="names no image"):
        await start_enclave(pcrs=DEV_PCRS | {1: b"p" * 32})


async def test_debug_mode_is_told(start_enclave: StartEnclave, caplog: pytest.LogCaptureFixture) -> None:
    await start_enclave()
    assert "debug mode" not in caplog.text
    await start_enclave(pcrs=DEV_PCRS | {0: bytes(48)})
    assert "debug mode, so its key is refused on chain" in caplog.text
