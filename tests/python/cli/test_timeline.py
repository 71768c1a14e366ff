"""The table of one request."""

from rich.console import Console

from vouch.cli.timeline import Moment, table


def lines(moments: list[Moment]) -> list[str]:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table(1_000_000_000, moments))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_times_are_since_the_start_and_since_the_step_before() -> None:
    moments = [
        Moment(1_030_000_000, "second", "node", "the model ran"),
        Moment(1_010_000_000, "first", "user", "", gas=61_234),
    ]
    header, first, second = lines(moments)
    assert header.split()[:4] == ["step", "after", "took", "gas"]
    assert first.split() == ["first", "10.0", "ms", "10.0", "ms", "61,234", "user"]
    assert second.split()[:5] == ["second", "30.0", "ms", "20.0", "ms"]
    assert second.endswith("the model ran")
