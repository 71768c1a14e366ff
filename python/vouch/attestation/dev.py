"""A certificate authority for development: its documents have the structure of AWS's, byte for byte.

What tells them apart is the pinned root, and names that say so. Such a document proves nothing to anybody
else: whoever has the authority's key can write what they like.
"""

import os
import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from vouch.attestation import certificate
from vouch.attestation.dev_machine import AUTHORITY_USAGE, ROOT_NAME, DevInstance, Issuer, Secrets, Variant
from vouch.attestation.errors import NotACertificate
from vouch.attestation.issuing import Template, basic_constraints, issue, key_usage, point, subject_key_id
from vouch.protocol.errors import VouchError

FILE: Final = "authority.pem"
"""In an authority's folder: its key, then its root certificate."""
_ROOT_BEGIN, _ROOT_END = 1_572_269_285, 2_519_044_085
"""As of AWS's root: 28 October 2019 to 28 October 2049."""
_MARK: Final = b"-- root certificate, DER in hex --\n"


class NoAuthority(VouchError):
    """There is no development authority in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} has no {FILE}: make a development authority there first")


class AuthorityExists(VouchError):
    """A development authority is never overwritten."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} already has an {FILE}: open it, or choose another folder")


class BadAuthority(VouchError):
    """The file of an authority cannot be read."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is no development authority ({why}): remove it and make a new one")


class DevAuthority:
    """A root: its certificate's DER, and the fingerprint (SHA-256) that a contract pins."""

    def __init__(self, root_der: bytes, key: ec.EllipticCurvePrivateKey, drawn: Secrets) -> None:
        self.root_der, self.fingerprint = root_der, sha256(root_der).digest()
        self.issuer, self.secrets = Issuer(ROOT_NAME, key), drawn

    @classmethod
    def create(cls, *, seed: bytes | None = None, folder: Path | None = None) -> Self:
        """A new one, kept in a folder if one is given. The same seed makes the same bytes in the same calls.

        Raises:
            AuthorityExists: the folder has one.
        """
        drawn = Secrets(seed)
        key = drawn.key()
        extensions = (
            basic_constraints(True),
            subject_key_id(key.public_key()),
            key_usage(AUTHORITY_USAGE, critical=True),
        )
        # AWS's serial number has its highest bit set.
        template = Template(drawn.bits(128) | 1 << 127, ROOT_NAME, _ROOT_BEGIN, _ROOT_END, extensions)
        made = cls(issue(template, key.public_key(), ROOT_NAME, key), key, drawn)
        if folder is not None:
            made._save(folder)
        return made

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The one that a folder keeps.

        Raises:
            NoAuthority: it keeps none.
            BadAuthority: its file is damaged.
        """
        path = folder / FILE
        try:
            key_pem, _, hexed = path.read_bytes().partition(_MARK)
        except FileNotFoundError:
            raise NoAuthority(folder) from None
        try:
            key = load_pem_private_key(key_pem, None)
            root_der = bytes.fromhex(hexed.decode("ascii"))
            root = certificate.parse(root_der)
        except (ValueError, TypeError, NotACertificate) as failure:
            raise BadAuthority(path, str(failure)) from failure
        if not isinstance(key, ec.EllipticCurvePrivateKey) or point(key.public_key()) != root.key:
            raise BadAuthority(path, "its key is not that of its certificate")
        return cls(root_der, key, Secrets(None))

    def instance(self, *, at: int, variant: Variant = Variant.Y2026) -> DevInstance:
        """A machine with a chain of its own, valid for a day from an hour before `at` (unix seconds) on."""
        return DevInstance(self.root_der, self.issuer, self.secrets, at, variant)

    def document(
        self,
        pcrs: Mapping[int, bytes],
        *,
        public_key: bytes | None = None,
        user_data: bytes | None = None,
        nonce: bytes | None = None,
        at: int,
        variant: Variant = Variant.Y2026,
    ) -> bytes:
        """One document of a new machine, see `DevInstance.document`."""
        instance = self.instance(at=at, variant=variant)
        return instance.document(
            pcrs, public_key=public_key, user_data=user_data, nonce=nonce, at_ms=1000 * at
        )

    def _save(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        pem = self.issuer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        # Complete under another name first: nobody ever opens half of it, and of two makers one wins.
        draft = folder / f".{FILE}.{secrets.token_hex(8)}"
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(pem + _MARK + self.root_der.hex().encode() + b"\n")
            os.link(draft, folder / FILE)
        except FileExistsError:
            raise AuthorityExists(folder) from None
        finally:
            draft.unlink(missing_ok=True)
