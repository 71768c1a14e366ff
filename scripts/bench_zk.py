"""What a proof costs: scripts/bench zk [--gallery] [--baselines] [--only NAME ...] [--proofs N]

Builds circuits, proves and verifies on an Anvil, everything for real; the figures go to tests/zk.json. Beside
them the floor on the same machine in the same run: a circuit of as many gates that each hold one bit.
Gates and bytes are the same everywhere; seconds are processor time of this machine and vary by some percent.

--gallery     also measures the shipped models and writes docs/zk-gallery.md
--baselines   also measures other provers on the 10k network; installs them into .build/baselines
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx

from scripts.gallery import graphs, page
from scripts.gallery.models import GALLERY, random_mlp
from scripts.gallery.proofs import Figures, Workshop, words, workshop
from scripts.toolchain import paths
from scripts.zk_bench import floor, with_ezkl, with_snarkjs
from scripts.zk_bench.baseline import Absent, Baseline, layers
from vouch.prover.bb import Bb
from vouch.prover.lowering.quantise import Quantised, quantise

COMMITTED: Final = paths.ROOT / "tests" / "zk.json"
MIB: Final = 1 << 20


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """One circuit to measure: `batch` inferences a proof, a few proofs, points of the reference string."""

    title: str
    batch: int
    proofs: int
    points: int
    large: bool = False


CASES: Final = {
    "10k": Case("10,465 parameters", 1, 5, 1 << 14),
    "10k-batch16": Case("10,465 parameters, 16 inferences", 16, 2, 1 << 17),
    "100k": Case("100,131 parameters", 1, 3, 1 << 17, large=True),
}


def small() -> tuple[Quantised, np.ndarray]:
    """The gallery's network of 10,465 parameters, as the gallery has it, and rows for it."""
    entry = GALLERY["risk_mlp"]
    inputs = entry.unseen().inputs
    made = quantise(entry.path, inputs, max_error=entry.max_error, input_decimals=entry.input_decimals)
    return made, inputs


def large() -> tuple[Quantised, np.ndarray]:
    """The random network of 100,131 parameters, and rows for it."""
    inputs = np.random.default_rng(1).normal(size=(1_000, 10)).astype(np.float32)
    return quantise(random_mlp().SerializeToString(), inputs), inputs


async def measure(shop: Workshop, names: Sequence[str], proofs: int | None) -> dict[str, dict[str, Any]]:
    """Figures and floors of the cases with these names."""
    found: dict[str, dict[str, Any]] = {}
    bb = Bb(shop.toolchain, shop.string)
    for name in names:
        case = CASES[name]
        quantised, inputs = large() if case.large else small()
        count = proofs or case.proofs
        rows = words(inputs[: count * case.batch], quantised.model.inputs[0].decimals)
        figures = (await shop.measure(name, quantised, rows, case.batch)).figures
        least = await floor.same_size(bb, shop.folder, figures.gates, count)
        found[name] = {**dataclasses.asdict(figures), "floor_cpu_seconds": least.cpu_seconds}
    start = await floor.smallest(bb, shop.folder, 5)
    return found | {"smallest": {"gates": start.gates, "cpu_seconds": start.cpu_seconds}}


async def others(shop: Workshop) -> list[Baseline | Absent]:
    """Other provers on the 10k network; its scaler stays outside, as EZKL knows none."""
    shipped, row = onnx.load(GALLERY["risk_mlp"].path), GALLERY["risk_mlp"].unseen().inputs[0]
    scaler = {a.name: np.array(a.floats) for node in shipped.graph.node[:1] for a in node.attribute}
    alone = graphs.perceptron("alone", None, layers(shipped), "risk", {"doc": "without its scaler"})
    scaled = (row - scaler["offset"]) * scaler["scale"]
    return [
        await with_ezkl.measure(alone, scaled),
        await with_snarkjs.measure(alone, scaled, shop.toolchain),
    ]


def machine() -> str:
    """What the seconds are of."""
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"


def report(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Our circuits beside their floors."""
    yield (
        f"{'':<34} {'gates':>8} {'build s':>8} {'CPU s':>7} {'prove CPU s':>12} {'floor':>7} {'ratio':>6}"
        f" {'MB':>6} {'proof':>6} {'gas':>9}"
    )
    for name, figures in found.items():
        if name == "smallest":
            continue
        cpu, least = figures["prove_cpu_seconds"], figures["floor_cpu_seconds"]
        yield (
            f"{CASES[name].title:<34} {figures['gates']:>8,} {figures['build_seconds']:>8.1f}"
            f" {figures['build_cpu_seconds']:>7.1f} {cpu:>12.2f} {least:>7.2f} {cpu / least:>6.2f}"
            f" {figures['peak_bytes'] / MIB:>6.0f} {figures['proof_bytes']:>6,} {figures['gas']:>9,}"
        )
    if "smallest" in found:
        start = found["smallest"]
        yield f"one multiplication, which is bb's own start: {1000 * start['cpu_seconds']:.0f} ms of CPU"


def compared(baselines: Sequence[Mapping[str, Any]], ours: Figures | None) -> Iterator[str]:
    """Other provers on the 10k network."""
    columns = f"{'setup CPU s':>12} {'prove CPU s':>12} {'MB':>6} {'proof':>6}"
    yield f"{'10,465 parameters':<34} {'size':>22} {columns}"
    if ours is not None:
        yield (
            f"{'Vouch':<34} {ours.gates:>16,} gates {ours.build_cpu_seconds:>12.1f}"
            f" {ours.prove_cpu_seconds:>12.2f} {ours.peak_bytes / MIB:>6.0f} {ours.proof_bytes:>6,}"
        )
    for other in baselines:
        if "reason" in other:
            yield f"{other['name']:<34} not measured: {other['reason']}"
            continue
        yield (
            f"{other['name']:<34} {other['size']:>22} {other['setup']['cpu_seconds']:>12.1f}"
            f" {other['prove']['cpu_seconds']:>12.2f} {other['prove']['peak_bytes'] / MIB:>6.0f}"
            f" {other['proof_bytes']:>6,}   {other['note']}"
        )


def same(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What should not have changed since the committed figures, and did."""
    lines = []
    for name, figures in now.items():
        for key in ("gates", "proof_bytes", "code_bytes"):
            old, new = before.get(name, {}).get(key), figures.get(key)
            if old is not None and old != new:
                lines.append(f"{name}: {key} {old:,} -> {new:,}")
    return lines


async def run(options: argparse.Namespace) -> int:
    """All that was asked for."""

    def progress(line: str) -> None:
        if sys.stderr.isatty() or "compiles" not in line:
            print(f"  {line}", file=sys.stderr, flush=True)

    measured: dict[str, Any] = {}
    names = options.only or list(CASES)
    points = max(CASES[name].points for name in names)
    with tempfile.TemporaryDirectory(prefix="vouch-bench-zk-") as folder:
        async with workshop(Path(folder), points, progress) as shop:
            found = await measure(shop, names, options.proofs)
            if options.gallery:
                await asyncio.to_thread(page.write, await page.measure(shop, options.rows), machine())
            if options.baselines:
                measured["baselines"] = [dataclasses.asdict(other) for other in await others(shop)]
    kept: dict[str, Any] = json.loads(COMMITTED.read_bytes()) if COMMITTED.exists() else {}
    changed = same(kept.get("circuits", {}), found)
    kept |= {"machine": machine(), "circuits": {**kept.get("circuits", {}), **found}, **measured}
    COMMITTED.write_text(json.dumps(kept, indent=2) + "\n")
    print("\n".join(report(found)))
    if "baselines" in kept:
        own = kept["circuits"].get("10k")
        print("\n" + "\n".join(compared(kept["baselines"], None if own is None else ours(own))))
    if changed:
        print("\nchanged since the committed figures:\n" + "\n".join(changed))
    return 0


def ours(figures: Mapping[str, Any]) -> Figures:
    """Figures out of their JSON form."""
    return Figures(**{field.name: figures[field.name] for field in dataclasses.fields(Figures)})


def main(words: Sequence[str] | None = None) -> int:
    description, _, details = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="scripts/bench zk",
        description=description,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", choices=list(CASES), help="circuits to measure (default: all)")
    parser.add_argument("--proofs", type=int, metavar="N", help="proofs of each circuit")
    parser.add_argument("--gallery", action="store_true", help="also write docs/zk-gallery.md")
    parser.add_argument("--rows", type=int, default=20, metavar="N", help="rows that the gallery proves")
    parser.add_argument("--baselines", action="store_true", help="also measure EZKL and snarkjs")
    return asyncio.run(run(parser.parse_args(words)))


if __name__ == "__main__":
    sys.exit(main())
