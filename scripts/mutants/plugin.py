"""A pytest plugin that brings one mutant of a build of schemata to life: its number is in VOUCH_MUTANT.

Every chain that a test starts sends its blocks to the address that is that mutant's switch.
"""

import os
from typing import Any, Final

from scripts.mutants.schemata import coinbase
from vouch.chain.anvil import Anvil
from vouch.chain.rpc import Rpc

NUMBER: Final = "VOUCH_MUTANT"


class Switched(Anvil):
    """An Anvil on which the mutant lives, if one is named."""

    def __init__(self, *args: Any, **options: Any) -> None:
        # With a hundred changes in it the hub is larger than any chain takes.
        options["args"] = (*options.get("args", ()), "--disable-code-size-limit")
        super().__init__(*args, **options)

    async def __aenter__(self) -> "Switched":
        await super().__aenter__()
        if NUMBER in os.environ:
            async with Rpc(self.http_url) as rpc:
                await rpc.call("anvil_setCoinbase", coinbase(int(os.environ[NUMBER])))
        return self


def pytest_configure() -> None:
    import tests.conftest

    tests.conftest.Anvil = Switched  # type: ignore[attr-defined]
