"""Write or check the committed gas figures: scripts/bench gas [--check]

Without flags the figures go to tests/gas.json. With `--check` they are compared with it: one unit more is a
regression, one unit less must be committed, so that the file always says what is true.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from scripts import export_abi
from scripts.gas_bench import Figures
from scripts.gas_figures import measure
from scripts.gas_nitro import measure_real, real_document
from scripts.gas_zk import measure_zk

COMMITTED: Final = Path(__file__).resolve().parents[1] / "tests" / "gas.json"

LIMITS: Final = {
    "hub.request": 66_000,
    "hub.fulfil": 80_000,
    "hub.fulfilMany50": 44_000,
    "gap.deliverAndSettle": 150_000,
    "batch.root1000": 75_000,
    "batch.claimOf1000": 95_000,
    "nitro.p384Verify": 1_000_000,
    "nitro.sha384Block": 24_000,
    "nitro.warm": 2_300_000,
    "nitro.leafAndDocument": 3_400_000,
    "nitro.cold": 7_500_000,
    "zk.settle10k": 750_000,
    "zk.batch16": 55_000,
}
FLOORS: Final = {"hub.request": 57_000, "hub.fulfil": 64_000, "hub.fulfilMany50": 33_000}
"""What the EVM itself asks for the same work: calldata, cold slots, signature, log, the callback's word."""
NITRO_PEER: Final = ("base/nitro-validator, hinted", 41_900_000, 13_900_000)
"""Gas cold (5 transactions) and warm of the cheapest other verifier, of an earlier measurement."""
PEERS: Final = {
    "Chainlink VRF 2.5": (69_800, 112_200),
    "Chainlink Functions": (194_700, 183_700),
    "Ritual Infernet, paid": (195_400, 165_900),
    "ORA OAO": (209_800, 72_100),
    "Galadriel, unpaid, unchecked": (110_800, 79_300),
}
"""Request and fulfil of the same work on the same Anvil."""


def compare(committed: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    """One line per figure that is not the committed one."""
    lines = []
    for name in sorted(committed.keys() | now.keys()):
        before, after = committed.get(name), now.get(name)
        if before == after:
            continue
        if before is None or after is None:
            change = "not committed" if before is None else "no longer measured"
        else:
            change = f"{after - before:+,}"
        lines.append(f"{name:<28} {_shown(before):>12} {_shown(after):>12} {change:>18}")
    return lines


def regressions(committed: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    """Names of the figures that grew."""
    return [name for name in sorted(now) if name in committed and now[name] > committed[name]]


def over(figures: Mapping[str, int]) -> list[str]:
    """Names of the measured figures over their limit."""
    return [name for name, limit in LIMITS.items() if figures.get(name, 0) > limit]


def report(figures: Mapping[str, int]) -> Iterator[str]:
    """All figures, then the main ones beside limit and floor, and what others ask for the same work."""
    yield from (f"{name:<34} {value:>12,}" for name, value in figures.items())
    yield ""
    yield f"{'':<34} {'gas':>9} {'limit':>9} {'floor':>9} {'x floor':>8}"
    for name, limit in LIMITS.items():
        if name not in figures:
            continue
        value, floor = figures[name], FLOORS.get(name)
        held = "holds" if value <= limit else "OVER THE LIMIT"
        beside = f"{'-':>9} {'-':>8}" if floor is None else f"{floor:>9,} {value / floor:>8.2f}"
        yield f"{name:<34} {value:>9,} {limit:>9,} {beside}  {held}"
    yield ""
    request, fulfil = figures["hub.request"], figures["hub.fulfil"]
    yield f"{'':<34} {'request':>9} {'fulfil':>9} {'both':>9}   times Vouch's: request, fulfil, both"
    yield "(Vouch is measured now; the others are figures of an earlier measurement on the same Anvil)"
    yield f"{'Vouch':<34} {request:>9,} {fulfil:>9,} {request + fulfil:>9,}"
    for name, (asks, answers) in PEERS.items():
        both = asks + answers
        ratios = f"{asks / request:.2f}, {answers / fulfil:.2f}, {both / (request + fulfil):.2f}"
        yield f"{name:<34} {asks:>9,} {answers:>9,} {both:>9,}   {ratios}"


def nitro_report(figures: Figures, document: str, real: Figures) -> Iterator[str]:
    """Attestation: a development document registered, a real one checked, the best peer's."""
    peer, cold, warm = NITRO_PEER
    yield ""
    yield f"{'attestation':<34} {'cold':>11} {'new leaf':>11} {'warm':>11}   times Vouch's: cold, warm"
    for name, row in (("Vouch, development, registered", figures), (f"Vouch, {document}", real)):
        shown = (f"{row[f'nitro.{figure}']:>11,}" for figure in ("cold", "leafAndDocument", "warm"))
        yield f"{name:<34} {' '.join(shown)}"
    ratios = f"{cold / real['nitro.cold']:.1f}, {warm / real['nitro.warm']:.1f}"
    yield f"{peer:<34} {cold:>11,} {'-':>11} {warm:>11,}   {ratios} (not measured now)"


def check(committed: Mapping[str, int], now: Mapping[str, int]) -> int:
    """Exit code, after printing what differs."""
    changed = compare(committed, now)
    if changed:
        print(f"{'figure':<28} {'committed':>12} {'now':>12} {'difference':>18}")
        print("\n".join(changed))
    if grown := regressions(committed, now):
        print(
            f"{len(grown)} figures grew: make it cheaper, or run scripts/bench gas and say why in the commit"
        )
    elif changed:
        print("the figures changed: run scripts/bench gas and commit tests/gas.json")
    if high := over(now):
        print(f"over the limit: {', '.join(f'{name} {now[name]:,} > {LIMITS[name]:,}' for name in high)}")
    return 1 if changed or high else 0


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench gas", description="Measure gas and code size.")
    parser.add_argument(
        "--check", action="store_true", help="compare with tests/gas.json instead of writing it"
    )
    options = parser.parse_args(words)
    # What is measured is what was exported; the check leaves that question to the check of the exports.
    if not options.check and export_abi.main(["--check"]) != 0:
        return 1
    now: Figures = dict(sorted((asyncio.run(measure()) | asyncio.run(measure_zk())).items()))
    print("\n".join(report(now)))
    if path := real_document():
        real = asyncio.run(measure_real(path.read_bytes()))
        print("\n".join(nitro_report(now, f"real of {path.name[:10]}", real)))
    else:
        print("no real attestation documents ($NITRO_DOCUMENTS): the development authority's only")
    if options.check:
        if not COMMITTED.is_file():
            print("there is no tests/gas.json: run scripts/bench gas", file=sys.stderr)
            return 1
        return check(json.loads(COMMITTED.read_text()), now)
    COMMITTED.write_text(json.dumps(now, indent=2, sort_keys=True) + "\n")
    return 1 if over(now) else 0


def _shown(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


if __name__ == "__main__":
    sys.exit(main())
