"""The committed gas figures, and the comparison that guards them."""

import json

import pytest

from scripts import bench_gas, export_abi
from scripts.bench_gas import COMMITTED, LIMITS, check, compare, over, regressions, report
from vouch.chain.transaction import MAX_TX_GAS


def test_committed_figures_hold_their_limits() -> None:
    figures = json.loads(COMMITTED.read_text())
    assert list(figures) == sorted(figures)
    assert set(LIMITS) <= set(figures)
    assert over(figures) == []
    assert all(value <= MAX_TX_GAS for value in figures.values())
    assert all(0 < value <= 24_576 for name, value in figures.items() if name.startswith("size."))


@pytest.mark.parametrize(
    ("now", "code", "said"),
    [
        ({"hub.request": 10, "hub.fulfil": 20, "hub.fulfilMany50": 30}, 0, ""),
        ({"hub.request": 11, "hub.fulfil": 20, "hub.fulfilMany50": 30}, 1, "1 figures grew"),
        ({"hub.request": 9, "hub.fulfil": 20, "hub.fulfilMany50": 30}, 1, "run scripts/bench gas and commit"),
        ({"hub.request": 10, "hub.fulfil": 20, "hub.fulfilMany50": 30, "new": 1}, 1, "not committed"),
        ({"hub.request": 70_000, "hub.fulfil": 20, "hub.fulfilMany50": 30}, 1, "over the limit: hub.request"),
    ],
)
def test_check(now: dict[str, int], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check({"hub.request": 10, "hub.fulfil": 20, "hub.fulfilMany50": 30}, now) == code
    assert said in capsys.readouterr().out


def test_a_figure_over_its_limit_fails_even_if_committed() -> None:
    high = {"hub.request": 66_001, "hub.fulfil": 1, "hub.fulfilMany50": 1}
    assert check(high, high) == 1


@pytest.mark.parametrize("name", ["batch.root1000", "batch.claimOf1000"])
def test_every_limit_counts(name: str) -> None:
    assert over({name: LIMITS[name]}) == []
    assert over({name: LIMITS[name] + 1}) == [name]


def test_compare() -> None:
    assert compare({"a": 1, "b": 2}, {"a": 1, "b": 2}) == []
    (line,) = compare({"a": 1000}, {"a": 1010})
    assert line.split() == ["a", "1,000", "1,010", "+10"]
    (line,) = compare({"a": 1000}, {})
    assert line.endswith("no longer measured")
    assert regressions({"a": 1, "b": 5}, {"a": 2, "b": 4, "c": 9}) == ["a"]


def test_report_says_whether_the_limits_hold() -> None:
    lines = "\n".join(report({"hub.request": 66_000, "hub.fulfil": 80_001, "hub.fulfilMany50": 44_000}))
    assert lines.count("holds") == 2
    assert lines.count("OVER THE LIMIT") == 1
    assert "Chainlink VRF 2.5" in lines


def test_report_shows_limits_without_a_floor() -> None:
    figures = {"hub.request": 1, "hub.fulfil": 1, "batch.root1000": 75_001}
    (line,) = (line for line in report(figures) if "OVER THE LIMIT" in line)
    assert line.split()[:5] == ["batch.root1000", "75,001", "75,000", "-", "-"]


def test_contracts_that_are_not_exported_as_they_are_now_are_not_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export_abi, "main", lambda words: int(words == ["--check"]))
    monkeypatch.setattr(bench_gas, "measure", lambda: pytest.fail("measured"))
    assert bench_gas.main([]) == 1
