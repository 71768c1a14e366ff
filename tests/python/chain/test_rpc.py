import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from vouch.chain.anvil import Anvil
from vouch.chain.rpc import Rpc, RpcError, RpcUnavailable, UnsupportedUrl, redact

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """A real TCP server that treats every connection with `handler`; gives its http URL."""

    async def treat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(treat, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    size = int(
        next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")).split()[1]
    )
    return await reader.readexactly(size)


def response(body: bytes, status: str = "200 OK", size: int | None = None) -> bytes:
    length = len(body) if size is None else size
    return (
        f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n".encode()
        + body
    )


def answering(body: bytes, status: str = "200 OK", size: int | None = None) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(response(body, status, size))
        await writer.drain()

    return handler


async def test_http_and_websocket_agree(anvil: Anvil) -> None:
    async with Rpc(anvil.http_url) as http, Rpc(anvil.ws_url) as ws:
        assert await http.call("eth_chainId") == await ws.call("eth_chainId") == hex(31337)
        calls = [("eth_chainId", []), ("eth_nonsense", []), ("web3_sha3", [b"abc"])]
        for rpc in (http, ws):
            chain_id, refused, digest = await rpc.batch(calls)
            assert (chain_id, digest[:10]) == ("0x7a69", "0x4e03657a")
            assert isinstance(refused, RpcError)
            assert refused.method == "eth_nonsense"
            with pytest.raises(RpcError, match=r"eth_nonsense: .*-3260"):
                await rpc.call("eth_nonsense")
            assert await rpc.batch([]) == []


async def test_ipc_socket(tmp_path: Path) -> None:
    path = tmp_path / "chain.ipc"
    async with Anvil(args=["--ipc", str(path)]):
        async with Rpc(str(path)) as rpc:
            answers = await asyncio.gather(*(rpc.call("eth_chainId") for _ in range(20)))
            assert set(answers) == {"0x7a69"}
            block = await rpc.call("eth_getBlockByNumber", "0x0", False)
            assert block["number"] == "0x0"


@asynccontextmanager
async def ipc(path: Path, *parts: bytes) -> AsyncIterator[Rpc]:
    """A socket that answers the first call with these parts, one read each."""

    async def treat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.02)
        await reader.read()
        writer.close()

    async with await asyncio.start_unix_server(treat, path), Rpc(str(path), timeout=2) as rpc:
        yield rpc


async def test_an_ipc_answer_in_pieces(tmp_path: Path) -> None:
    whole = '{"jsonrpc":"2.0","id":1,"result":[{"é":"[[["},' + "{}," * 100 + '"é"]}'
    data = whole.encode()
    cut = data.rindex(b"\xc3") + 1
    async with ipc(tmp_path / "ipc", data[:60], data[60:cut], data[cut:]) as rpc:
        assert len(await rpc.call("eth_call")) == 102


async def test_an_ipc_answer_nested_without_end(tmp_path: Path) -> None:
    async with ipc(tmp_path / "ipc", b'{"id":1,"a":{},"result":' + b"[" * 100_000) as rpc:
        with pytest.raises(RpcUnavailable, match="nested deeper"):
            await rpc.call("eth_call")


async def test_a_websocket_message_nested_without_end() -> None:
    async def treat(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send('{"id":1,"result":' + "[" * 100_000)

    async with serve(treat, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with Rpc(f"ws://127.0.0.1:{port}", timeout=2) as rpc:
            with pytest.raises(RpcUnavailable, match="nested deeper"):
                await rpc.call("eth_call")


async def test_many_calls_share_one_websocket(anvil: Anvil) -> None:
    async with Rpc(anvil.ws_url) as rpc:
        digests = await asyncio.gather(*(rpc.call("web3_sha3", bytes([i])) for i in range(50)))
        assert len(set(digests)) == 50


async def test_websocket_comes_back_after_the_node_restarted() -> None:
    async with Anvil() as first:
        port = first.port
        rpc = Rpc(first.ws_url)
        await rpc.__aenter__()
        await rpc.call("eth_chainId")
    with pytest.raises(RpcUnavailable):
        await rpc.call("eth_chainId")
    async with Anvil(port):
        assert await rpc.call("eth_chainId") == "0x7a69"
        await rpc.__aexit__(None, None, None)


async def test_nobody_listens() -> None:
    async with serving(answering(b"")) as url:
        pass
    async with Rpc(url) as rpc:
        with pytest.raises(RpcUnavailable, match="eth_chainId: no answer from http://127"):
            await rpc.call("eth_chainId")


async def test_closed_or_never_opened() -> None:
    with pytest.raises(RpcUnavailable, match="async with"):
        await Rpc("http://127.0.0.1:9").call("eth_chainId")


@pytest.mark.parametrize(
    ("body", "status", "size", "reason"),
    [
        (b'{"jsonrpc":"2.0","id"', "200 OK", 500, "connection lost"),
        (b"<html>busy</html>", "503 Service Unavailable", None, "HTTP 503"),
        (b"<html>hello</html>", "200 OK", None, "no JSON"),
        (b'{"jsonrpc":"2.0","id":77,"result":"0x1"}', "200 OK", None, "no JSON-RPC response"),
        (b"[]", "200 OK", None, "no JSON-RPC response"),
        (b'{"jsonrpc":"2.0","id":1}', "200 OK", None, "no JSON-RPC response"),
        (b'{"jsonrpc":"2.0","id":1,"result":' + b"[" * 100_000, "200 OK", None, "nested deeper"),
    ],
)
async def test_useless_answers_are_unknown_not_failed(
    body: bytes, status: str, size: int | None, reason: str
) -> None:
    async with serving(answering(body, status, size)) as url, Rpc(url) as rpc:
        with pytest.raises(RpcUnavailable, match=reason):
            await rpc.call("eth_blockNumber")


async def test_json_error_with_http_error_status() -> None:
    body = b'{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"busy","data":"0x01"}}'
    async with serving(answering(body, "400 Bad Request")) as url, Rpc(url) as rpc:
        with pytest.raises(RpcError) as caught:
            await rpc.call("eth_call", {})
    assert (caught.value.code, caught.value.message, caught.value.data) == (-32000, "busy", "0x01")


async def test_silence_ends_with_the_timeout() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(silent) as url, Rpc(url, timeout=0.05) as rpc:
        with pytest.raises(RpcUnavailable, match=r"nothing within 0\.05 s"):
            await rpc.call("eth_chainId")


@pytest.mark.parametrize(
    ("method", "received"), [("eth_blockNumber", 2), ("eth_sendRawTransaction", 1), ("evm_mine", 1)]
)
async def test_only_reads_are_repeated_after_a_lost_connection(method: str, received: int) -> None:
    seen = []

    async def forgetful(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(json.loads(await read_request(reader))["method"])
        if len(seen) == 2:
            writer.write(response(b'{"jsonrpc":"2.0","id":1,"result":"0x5"}'))
            await writer.drain()

    async with serving(forgetful) as url, Rpc(url) as rpc:
        if received == 2:
            assert await rpc.call(method) == "0x5"
        else:
            with pytest.raises(RpcUnavailable):
                await rpc.call(method)
    assert seen == [method] * received


@pytest.mark.parametrize("url", ["", "ftp://x", "wsx://y"])
def test_unsupported_urls(url: str) -> None:
    with pytest.raises(UnsupportedUrl):
        Rpc(url)


def test_errors_do_not_show_what_is_secret_in_a_url() -> None:
    assert redact("https://user:pass@rpc.example:8545/v2/KEY?token=KEY") == "https://rpc.example:8545"
    assert redact("ws://[::1]:1/KEY") == "ws://[::1]:1"
    assert redact("/run/geth.ipc") == "/run/geth.ipc"


async def test_a_parameter_that_is_no_json_is_the_callers_fault(anvil: Anvil) -> None:
    async with Rpc(anvil.http_url) as rpc:
        with pytest.raises(TypeError, match="object is no JSON-RPC parameter"):
            await rpc.call("eth_call", object())
