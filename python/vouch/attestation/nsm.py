"""The Nitro Secure Module of the enclave that this runs in: /dev/nsm.

The request is CBOR, passed by one ioctl with the addresses and sizes of two buffers. Sources: Linux,
include/uapi/linux/nsm.h; aws-nitro-enclaves-nsm-api, src/driver/mod.rs and src/api/mod.rs.
"""

import asyncio
import ctypes
import fcntl
import os
import struct
from pathlib import Path
from typing import Final

import cbor2

from vouch.protocol.errors import VouchError

DEVICE: Final = Path("/dev/nsm")
RAW_IOCTL: Final = 0xC0200A00
"""_IOWR(0x0A, 0, struct nsm_raw): four 64-bit words, address and size of the request and of the response."""
MAX_REQUEST: Final = 0x1000
MAX_RESPONSE: Final = 0x3000
_NSM_RAW: Final = struct.Struct("=QQQQ")


class NoModule(VouchError):
    """This is no Nitro enclave, or one that may not ask its module."""

    def __init__(self, device: Path, why: str) -> None:
        self.device = device
        super().__init__(
            f"{device}: {why}. Only inside of an AWS Nitro enclave there is a secure module to ask; "
            "elsewhere use a development authority"
        )


class ModuleRefused(VouchError):
    """The module gave no document."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the Nitro Secure Module gave no document: {why}")


class NsmAttester:
    """Documents by the module of this enclave."""

    def __init__(self, device: Path = DEVICE) -> None:
        self.device = device

    async def attest(self, *, public_key: bytes, user_data: bytes, nonce: bytes) -> bytes:
        """Raises NoModule, ModuleRefused."""
        asked = request(public_key=public_key, user_data=user_data, nonce=nonce)
        # The driver waits for the hypervisor, so not on the loop's thread.
        return document_of(await asyncio.to_thread(self._exchange, asked))

    def _exchange(self, asked: bytes) -> bytes:
        try:
            device = os.open(self.device, os.O_RDWR | os.O_CLOEXEC)
        except OSError as failure:
            raise NoModule(self.device, failure.strerror or "cannot be opened") from failure
        try:
            sent, answer = (
                ctypes.create_string_buffer(asked, len(asked)),
                ctypes.create_string_buffer(MAX_RESPONSE),
            )
            raw = bytearray(
                _NSM_RAW.pack(ctypes.addressof(sent), len(asked), ctypes.addressof(answer), MAX_RESPONSE)
            )
            fcntl.ioctl(device, RAW_IOCTL, raw)
        except OSError as failure:
            raise ModuleRefused(f"{self.device} does not take the request ({failure.strerror})") from failure
        finally:
            os.close(device)
        size = _NSM_RAW.unpack(raw)[3]
        return answer.raw[: min(size, MAX_RESPONSE)]


def request(*, public_key: bytes, user_data: bytes, nonce: bytes) -> bytes:
    """The CBOR of an attestation request. Raises ModuleRefused if it is too long for the module."""
    asked = cbor2.dumps({"Attestation": {"user_data": user_data, "nonce": nonce, "public_key": public_key}})
    if len(asked) > MAX_REQUEST:
        raise ModuleRefused(f"the request has {len(asked)} bytes, and {MAX_REQUEST} is the most")
    return asked


def document_of(answer: bytes) -> bytes:
    """The document in a response. Raises ModuleRefused with what the response says instead."""
    try:
        match cbor2.loads(answer):
            case {"Attestation": {"document": bytes(document)}}:
                return document
            case {"Error": str(error)}:
                raise ModuleRefused(f"its error is {error}")
    except cbor2.CBORDecodeError as failure:
        raise ModuleRefused(f"its answer is no CBOR ({failure})") from failure
    raise ModuleRefused(f"its answer is none to an attestation request: {answer[:32].hex()}")
