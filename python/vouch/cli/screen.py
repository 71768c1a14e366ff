"""What both demos print: steps with their time, and what was checked."""

import time
from collections.abc import Callable, Mapping

from vouch.cli.console import Failed, out


def progress(began: float) -> Callable[[str], None]:
    """Prints a step with the seconds since `began` (on the monotonic clock)."""

    def show(step: str) -> None:
        out.print(f"  [dim]{time.monotonic() - began:5.2f} s[/]  {step}")

    return show


def report(checks: Mapping[str, bool]) -> None:
    """Prints all checks. Raises Failed unless everything is as it should be."""
    out.print("\n[bold]Checked[/]")
    for what, fine in checks.items():
        out.print(f"  {'[green]yes[/]' if fine else '[red]NO [/]'}  {what}")
    wrong = [what for what, fine in checks.items() if not fine]
    if wrong:
        raise Failed("not as it should be:\n" + "\n".join(wrong))
