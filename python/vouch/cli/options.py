"""Options that several commands share, each with its environment variable."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

import click

P = ParamSpec("P")
R = TypeVar("R")
Command = TypeVar("Command", bound=Callable[..., Any])

LOCAL_RPC = "http://127.0.0.1:8545"
LOCAL_NODE = "http://127.0.0.1:8700"
RELAYER_DB = Path(".vouch/relayer.sqlite")
JOURNAL = Path(".vouch/journal.sqlite")


def asynchronous(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, R]:
    """Run a coroutine function as a command's body."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return asyncio.run(function(*args, **kwargs))

    return run


class Option(Protocol):
    """An option, or several, that a command is decorated with."""

    def __call__(self, command: Command, /) -> Command: ...


def together(*options: Option) -> Option:
    """Several as one, in the order of the help."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


rpc_option: Option = click.option(
    "--rpc",
    metavar="URL",
    default=LOCAL_RPC,
    show_default=True,
    envvar="VOUCH_RPC",
    show_envvar=True,
    help="JSON-RPC address of the chain (http, https, ws, wss or the path of an IPC socket).",
)
deployments_option: Option = click.option(
    "--deployments",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("deployments"),
    show_default=True,
    envvar="VOUCH_DEPLOYMENTS",
    show_envvar=True,
    help="Folder of deployment files; the one of the chain's id is read.",
)
key_option: Option = click.option(
    "--key-file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="VOUCH_KEY_FILE",
    show_envvar=True,
    help="File with the account's private key: hex, or an encrypted JSON keystore (its password comes "
    "from VOUCH_PASSWORD or is asked for). Without it the key is taken from the variable VOUCH_KEY. "
    "Keys are never taken from the command line, where other users of the machine could read them.",
)
chain_options = together(rpc_option, deployments_option)
"""Which chain, and where Vouch is on it."""
account_options = together(chain_options, key_option)
"""The same, and who sends."""


class Wei(click.ParamType[int]):
    """An amount of the native token: 1000 (wei), 20gwei, 0.01ether."""

    name = "amount"
    units: dict[str, int] = {"ether": 18, "eth": 18, "gwei": 9, "wei": 0}  # noqa: RUF012 - never changed

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        from decimal import Decimal, InvalidOperation

        if isinstance(value, int):
            return value
        text = str(value).strip().lower().replace("_", "")
        unit = next((u for u in self.units if text.endswith(u)), "")
        try:
            amount = Decimal(text.removesuffix(unit).strip()).scaleb(self.units.get(unit, 0))
            if not amount.is_finite():
                raise InvalidOperation
        except InvalidOperation:
            self.fail(f"{value!r} is no amount: write 1000 (wei), 20gwei or 0.01ether", param, ctx)
        if amount != int(amount) or amount < 0:
            self.fail(f"{value!r} is no whole, positive number of wei", param, ctx)
        return int(amount)


class Bytes32(click.ParamType[bytes]):
    """32 bytes of hex; `what` has them, with its article."""

    def __init__(self, name: str, what: str) -> None:
        self.name, self._what = name, what

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        if isinstance(value, bytes):
            return value
        try:
            data = bytes.fromhex(str(value).removeprefix("0x"))
        except ValueError:
            self.fail(f"{value!r} is no hex", param, ctx)
        if len(data) != 32:
            self.fail(f"{self._what} has 32 bytes (64 hex digits), not {len(data)}", param, ctx)
        return data


request_argument: Option = click.argument("request_id", metavar="ID", type=Bytes32("id", "a request id"))


class ModelPath(click.ParamType[tuple[str | None, str]]):
    """NAME=FILE or FILE."""

    name = "[name=]file"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str | None, str]:
        if isinstance(value, tuple):
            return value
        name, equals, rest = str(value).partition("=")
        if not equals:
            return None, name
        if not name or not rest:
            self.fail(f"{value!r} is not NAME=FILE", param, ctx)
        return name, rest
