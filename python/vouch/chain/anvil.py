"""A local development chain: Foundry's Anvil as a child process."""

import asyncio
import os
import re
import shutil
import signal
import tempfile
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from vouch.chain.account import LocalKey
from vouch.chain.child import send_signal
from vouch.chain.errors import ChainError
from vouch.chain.parent import end_with_parent

MNEMONIC = "test test test test test test test test test test test junk"
_LISTENING = re.compile(r"Listening on .*?:(\d+)\s*$")
# Keys of the mnemonic above at m/44'/60'/0'/0/i: public knowledge, worth nothing outside of a local chain.
_KEYS = (
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
    "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
    "92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
    "4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
    "dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
    "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
)


class AnvilMissing(ChainError):
    """There is no Anvil program on this machine."""

    def __init__(self, looked: Sequence[str]) -> None:
        self.looked = tuple(looked)
        super().__init__(
            f"no anvil found ({', '.join(looked)}): run scripts/demo, install Foundry, or set VOUCH_ANVIL"
        )


class AnvilFailed(ChainError):
    """Anvil ended, or did not listen, instead of serving."""

    def __init__(self, code: int | None, output: str) -> None:
        self.code, self.output = code, output
        super().__init__(f"anvil did not start (exit code {code}): {output.strip() or 'no output'}")


class Anvil:
    """`async with Anvil() as anvil:` runs a chain that ends with the block, whatever happens inside.

    Args:
        port: 0 takes a free one.
        block_time: seconds between blocks; None mines every transaction at once.
        hardfork: rules of the chain; the contracts need "osaka".
        chain_id: 31337, as every tool expects of Anvil.
        state: file to load the chain from and to save it to at the end.
        args: more options for the program.

    Raises:
        AnvilMissing, AnvilFailed: when entered.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        block_time: float | None = None,
        chain_id: int = 31337,
        hardfork: str = "osaka",
        state: Path | None = None,
        args: Sequence[str] = (),
        start_timeout: float = 30.0,
    ) -> None:
        self.host, self.port, self.chain_id = host, port, chain_id
        self.accounts = tuple(LocalKey.from_hex(key) for key in _KEYS)
        self._args = ["--host", host, "--port", str(port), "--chain-id", str(chain_id), *args]
        self._args += ["--hardfork", hardfork, "--enable-tx-gas-limit", "--mnemonic", MNEMONIC]
        if block_time is not None:
            self._args += ["--block-time", f"{block_time:g}"]
        if state is not None:
            self._args += ["--state", str(state)]
        self._start_timeout = start_timeout
        self._process: asyncio.subprocess.Process | None = None
        self._drain: asyncio.Task[None] | None = None
        self._tail: deque[str] = deque(maxlen=40)
        self._home: tempfile.TemporaryDirectory[str] | None = None

    @property
    def http_url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id while it runs."""
        assert self._process is not None, "Anvil runs inside of its `async with` block"
        return self._process.pid

    async def __aenter__(self) -> Self:
        program = find()
        # Anvil writes caches and, with --state, temporary files below HOME: they go with the chain.
        self._home = tempfile.TemporaryDirectory(prefix="vouch-anvil-")
        try:
            self._process = await asyncio.create_subprocess_exec(
                program,
                *self._args,
                env={**os.environ, "HOME": self._home.name, "NO_COLOR": "1"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent(),
            )
            async with asyncio.timeout(self._start_timeout):
                self.port = await self._listening()
        except BaseException as failed:
            await self._end()
            if isinstance(failed, TimeoutError):
                raise AnvilFailed(None, f"not listening after {self._start_timeout:g} s") from failed
            raise
        self._drain = asyncio.create_task(self._read(), name="anvil-output")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _listening(self) -> int:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            text = line.decode(errors="replace").rstrip()
            self._tail.append(text)
            if found := _LISTENING.search(text):
                return int(found[1])
        raise AnvilFailed(await self._process.wait(), "\n".join(self._tail))

    async def _read(self) -> None:
        # A full pipe would stop the chain.
        assert self._process is not None
        assert self._process.stdout is not None
        while part := await self._process.stdout.read(1 << 16):
            self._tail.append(part.decode(errors="replace"))

    async def _end(self) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            try:
                send_signal(process, signal.SIGTERM)
                async with asyncio.timeout(5):
                    await process.wait()
            except BaseException:
                send_signal(process, signal.SIGKILL)
                await process.wait()
                raise
        if self._drain is not None:
            await self._drain
            self._drain = None
        self._process = None
        if self._home is not None:
            self._home.cleanup()
            self._home = None


def find() -> str:
    """Path of the Anvil program: $VOUCH_ANVIL, node_modules next to the sources or the working folder, PATH.

    Raises:
        AnvilMissing: none of them has it.
    """
    looked = []
    if named := os.environ.get("VOUCH_ANVIL"):
        looked.append(f"VOUCH_ANVIL={named}")
        if found := shutil.which(named):
            return found
        raise AnvilMissing(looked)
    for root in (Path(__file__).resolve().parents[3], Path.cwd()):
        # The native program first: npm's launcher is a script that stays between us and the process to end.
        for place in sorted(root.glob("node_modules/@foundry-rs/anvil-*/bin/anvil")) or [
            root / "node_modules/.bin/anvil"
        ]:
            looked.append(str(place))
            if found := shutil.which(place):
                return found
    looked.append("PATH")
    if found := shutil.which("anvil"):
        return found
    raise AnvilMissing(looked)
