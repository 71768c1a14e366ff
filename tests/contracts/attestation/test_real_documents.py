"""Documents that AWS signed, checked by the contract at their own time; and the same documents spoilt."""

import contextlib

import pytest
import pytest_asyncio

from tests.contracts.attestation.documents import real
from tests.contracts.enclaves import Enclaves, hints
from tests.python.attestation.test_verify import HARMLESS, SPOILT
from tests.support.contract import Contract, codec
from tests.support.world import World
from vouch.attestation.document import parse
from vouch.attestation.errors import Refused
from vouch.attestation.verify import AWS_ROOT, verify
from vouch.chain.reverts import Reverted

pytestmark = pytest.mark.slow


@pytest_asyncio.fixture(loop_scope="session")
async def aws(world: World, enclaves: Enclaves) -> Contract:
    """A NitroAttestation that trusts AWS's root."""
    parts = [enclaves.deployment.enclaves[name] for name in ("NitroReader", "Sha384Hash", "P384")]
    return await world.create("NitroAttestation", *parts, AWS_ROOT, world.owner.address)


async def test_real_documents(world: World, aws: Contract) -> None:
    for path in real("documents"):
        document = parse(path.read_bytes())
        at = document.timestamp_ms // 1000
        answer = await world.try_at(at, aws.call("verify", document.raw, hints(document)))
        (found,) = codec("NitroAttestation", "verify").decode(answer)
        module, timestamp, pcrs, public_key, user_data, nonce, expiry, certificates = found
        expected = verify(document, root_fingerprint=AWS_ROOT, at=at)
        assert (module, timestamp) == (document.module_id, document.timestamp_ms), path.name
        assert {n: pcr for n, pcr in enumerate(pcrs) if pcr} == dict(document.pcrs), path.name
        assert public_key == (document.public_key or b""), path.name
        assert (user_data, nonce) == (document.user_data or b"", document.nonce or b""), path.name
        assert (expiry, tuple(certificates)) == (expected.expiry, expected.certificates), path.name
        with pytest.raises(Reverted, match="CertificateExpired"):
            await world.try_at(expiry + 1, aws.call("verify", document.raw, hints(document)))


async def test_spoilt_documents(world: World, aws: Contract) -> None:
    """Each for its own reason, which is Python's; hints are made for what is not spoilt."""
    for path in real("negative"):
        raw = path.read_bytes()
        given, at = [b""] * 5, 1_770_918_962
        with contextlib.suppress(Refused):
            document = parse(raw)
            given, at = [b""] * len(document.certificates), document.timestamp_ms // 1000
            given = hints(document)
        call = aws.call("verify", raw, given)
        if path.stem in HARMLESS:
            await world.try_at(at, call)
            continue
        with pytest.raises(Reverted) as caught:
            await world.try_at(at, call)
        name, values = SPOILT[path.stem]
        assert caught.value.error.name == name, path.name
        assert tuple(caught.value.error.args.values())[: len(values)] == values, path.name
