"""What the commands print with, and how they fail: one clear line, and what to do."""

import sys
from collections.abc import Iterator

import click
from rich.console import Console
from rich.text import Text

from vouch.protocol.errors import VouchError

# Tables need their width in files and pipes too, where rich would assume 80 columns.
_WIDTH = None if sys.stdout.isatty() else 130

out = Console(highlight=False, soft_wrap=True, width=_WIDTH)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Failed(click.ClickException):
    """The command did not do what was asked; exit code 1."""

    exit_code = 1

    def show(self, file: object = None) -> None:  # noqa: ARG002 - click's signature
        for line, style in self._lines():
            err.print(Text(line, style=style))

    def _lines(self) -> Iterator[tuple[str, str]]:
        first, *rest = self.message.splitlines() or [""]
        yield f"error: {first}", "bold red"
        for line in rest:
            yield f"  {line}", ""


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors inside (nested) exception groups, in order."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


def describe(error: BaseException) -> str:
    """An error as its message; the name goes in front of errors that are not Vouch's own."""
    text = str(error).strip()
    if isinstance(error, VouchError):
        return text or type(error).__name__
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def wei(amount: int) -> str:
    """An amount of the native token, exact, in the unit that reads best."""
    for unit, decimals in (("ether", 18), ("gwei", 9)):
        if abs(amount) >= 10 ** (decimals - 6):
            whole, part = divmod(abs(amount), 10**decimals)
            fraction = f".{part:0{decimals}d}".rstrip("0").rstrip(".")
            return f"{'-' if amount < 0 else ''}{whole}{fraction} {unit}"
    return f"{amount} wei"


def duration(seconds: float) -> str:
    """A duration with three meaningful digits."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds:.2f} s"
