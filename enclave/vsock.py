"""What carries bytes into an enclave and out of it: its only device is a virtual socket to its parent.

In the enclave (the image's entrypoint), which takes the operator's key from the parent and starts the node:
    python vsock.py inside -- vouch node --onnx risk=/model/risk.onnx --enclave nitro
On the parent, which gives the key once and then listens for HTTP:
    python vsock.py parent --cid 16 --key-file operator.key --port 8700

Only the standard library is used, so nothing but Python and the node is in the image. The parent can call
the node; the node can call nobody, and has to call nobody.
"""  # noqa: INP001 - a program, not a module of a package

import argparse
import asyncio
import fcntl
import json
import os
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

HTTP_PORT = 8700
"""Of the node on the enclave's loopback, and of its virtual socket."""
SECRETS_PORT = 8701
SECRETS_BYTES = 4096
SECRETS_SECONDS = 10.0
CHUNK = 1 << 16

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
"""Linux, include/uapi/linux/sockios.h and if.h."""

Connect = Callable[[], Awaitable[socket.socket]]


async def pump(source: socket.socket, target: socket.socket) -> None:
    """Carries bytes one way until the source ends, then ends the target's input."""
    loop = asyncio.get_running_loop()
    with suppress(OSError):  # one connection that breaks, in whatever way, is not the others' end
        while chunk := await loop.sock_recv(source, CHUNK):
            await loop.sock_sendall(target, chunk)
    with suppress(OSError):  # the other side is gone already
        target.shutdown(socket.SHUT_WR)


async def forward(listener: socket.socket, connect: Connect) -> None:
    """Gives every connection one of its own to the target, until it is cancelled."""
    loop = asyncio.get_running_loop()

    async def carry(outer: socket.socket) -> None:
        with outer:
            try:
                inner = await connect()
            except OSError as failure:
                print(f"vsock: nobody answers ({failure})", file=sys.stderr)  # noqa: T201
                return
            with inner:
                await asyncio.gather(pump(outer, inner), pump(inner, outer))

    async with asyncio.TaskGroup() as tasks:
        while True:
            outer, _ = await loop.sock_accept(listener)
            outer.setblocking(False)
            tasks.create_task(carry(outer))


async def receive_secrets(listener: socket.socket) -> dict[str, str]:
    """What the parent gives: {"key": …, "token": …}. Whoever sends something else is sent away."""
    loop = asyncio.get_running_loop()
    while True:
        peer, _ = await loop.sock_accept(listener)
        peer.setblocking(False)
        with peer:
            try:
                async with asyncio.timeout(SECRETS_SECONDS):
                    return parse_secrets(await _all_of(peer))
            except (OSError, TimeoutError, ValueError) as failure:
                print(f"vsock: these are no secrets ({failure})", file=sys.stderr)  # noqa: T201


def parse_secrets(raw: bytes) -> dict[str, str]:
    """Environment of the node. Raises ValueError for anything but a key and, if there is one, a token."""
    found = json.loads(raw)
    if not isinstance(found, dict) or not {"key"} <= found.keys() <= {"key", "token"}:
        raise ValueError("a JSON object with key, and perhaps token, was expected")
    if not all(isinstance(value, str) for value in found.values()):
        raise ValueError("key and token are strings")
    made = {"VOUCH_KEY": found["key"]}
    # The node's code is measured, so what comes from outside is never more than these two.
    return made | ({"VOUCH_NODE_TOKEN": found["token"]} if "token" in found else {})


async def _all_of(peer: socket.socket) -> bytes:
    loop, read = asyncio.get_running_loop(), bytearray()
    while chunk := await loop.sock_recv(peer, CHUNK):
        read += chunk
        if len(read) > SECRETS_BYTES:
            raise ValueError(f"more than {SECRETS_BYTES} bytes")
    return bytes(read)


def vsock_listener(port: int) -> socket.socket:
    """Takes the parent's connections."""
    listener = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    listener.bind((socket.VMADDR_CID_ANY, port))
    return listening(listener)


def tcp_listener(host: str, port: int) -> socket.socket:
    """Takes connections from the network."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listening(listener)


def listening(listener: socket.socket) -> socket.socket:
    listener.listen()
    listener.setblocking(False)
    return listener


async def connected(family: socket.AddressFamily, address: tuple[str | int, int]) -> socket.socket:
    """A new connection. Raises OSError."""
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(made, address)
    except BaseException:
        made.close()
        raise
    return made


def raise_loopback() -> None:
    """An enclave starts with its loopback interface down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        asked = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack_from("16xH", fcntl.ioctl(probe, _SIOCGIFFLAGS, asked))
        fcntl.ioctl(probe, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | _IFF_UP))


async def inside(command: Sequence[str]) -> int:
    """The enclave's whole life: secrets once, then the node and the way to it; it ends with the node."""
    raise_loopback()
    with vsock_listener(SECRETS_PORT) as listener:
        secrets = await receive_secrets(listener)
    node = await asyncio.create_subprocess_exec(*command, env={**os.environ, **secrets})
    with vsock_listener(HTTP_PORT) as listener:
        target = ("127.0.0.1", HTTP_PORT)
        carrying = asyncio.create_task(forward(listener, lambda: connected(socket.AF_INET, target)))
        code = await node.wait()
        carrying.cancel()
        with suppress(asyncio.CancelledError):
            await carrying
    return code


async def parent(cid: int, host: str, port: int, key_file: Path | None) -> None:
    """On the machine outside; with a key file the secrets are given first."""
    if key_file is not None:
        secrets = {"key": (await asyncio.to_thread(key_file.read_text)).strip()}
        if token := os.environ.get("VOUCH_NODE_TOKEN"):
            secrets["token"] = token
        with await connected(socket.AF_VSOCK, (cid, SECRETS_PORT)) as enclave:
            await asyncio.get_running_loop().sock_sendall(enclave, json.dumps(secrets).encode())
    with tcp_listener(host, port) as listener:
        await forward(listener, lambda: connected(socket.AF_VSOCK, (cid, HTTP_PORT)))


def main() -> int:
    parser = argparse.ArgumentParser(description="Bytes into an enclave and out of it.")
    sides = parser.add_subparsers(dest="side", required=True)
    within = sides.add_parser("inside", help="in the enclave")
    within.add_argument("command", nargs="+", help="the node")
    outside = sides.add_parser("parent", help="on the machine that runs the enclave")
    outside.add_argument("--cid", type=int, required=True, help="of the enclave: nitro-cli describe-enclaves")
    outside.add_argument("--host", default="127.0.0.1", help="to listen on")
    outside.add_argument("--port", type=int, default=HTTP_PORT)
    outside.add_argument(
        "--key-file", type=Path, help="the operator's key, 64 hex digits; given once per start"
    )
    asked = parser.parse_args()
    if asked.side == "inside":
        return asyncio.run(inside(asked.command))
    with suppress(KeyboardInterrupt):
        asyncio.run(parent(asked.cid, asked.host, asked.port, asked.key_file))
    return 0


if __name__ == "__main__":
    sys.exit(main())
