"""A relayer in a process of its own that dies at a chosen point."""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.e2e.relayer_world import World

KEY = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
"""Anvil's account 2, which relays."""


async def die(w: World, url: str, point: str, ask: Callable[[], Awaitable[bytes]], **more: Any) -> bytes:
    """Runs a relayer that kills itself at `point` while it serves the one request, whose id is returned.

    `more` is what its configuration has beside a node at `url`.
    """
    config = w.config(url)
    given = {
        "rpc": config.rpc_url,
        "ws": config.ws_url,
        "hub": config.hub,
        "node": url,
        "database": str(config.database),
        "start": config.start_block,
        "key": KEY,
    }
    script = Path(__file__).with_name("relayer_process.py")
    relayer = await asyncio.create_subprocess_exec(
        sys.executable, str(script), json.dumps(given | more), point, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert relayer.stdout is not None
        assert await relayer.stdout.readline() == b"ready\n"
        asked = await ask()
        async with asyncio.timeout(30):
            assert await relayer.wait() == -signal.SIGKILL
        return asked
    finally:
        if relayer.returncode is None:
            relayer.kill()
            await relayer.wait()
