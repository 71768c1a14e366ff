"""Break the contracts, one change at a time, and see whether the tests notice: scripts/test --mutants

A survivor is a change that no test noticed: write the test, or, if no test can tell, say why in
equivalent.toml. Ends with code 1 if there is a survivor that is not in the list, or one of the list that
does not survive.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from scripts.mutants.equivalents import load
from scripts.mutants.operators import Key, Mutant, mutants
from scripts.mutants.schemata import instrument_all
from scripts.mutants.source import Source
from scripts.mutants.tree import Laboratory, MutationError, Result, Verdict
from scripts.mutants.ward import Ward
from scripts.toolchain import paths

# Interfaces have no code, test contracts and examples hold nobody's money, and the codec's arithmetic is left
# to its property tests, as that of P-384 is to tests which cut out one rule at a time.
LEFT_OUT: Final = (
    ".cache",
    "interfaces",
    "test",
    "examples",
    "attestation",
    "TensorCodec.sol",
    "FixedPoint.sol",
    "Utf8.sol",
)


def arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/test --mutants --",
        description="Break the contracts, one change at a time, and see whether the tests notice.",
    )
    parser.add_argument(
        "--only",
        metavar="PATTERN",
        action="append",
        default=[],
        help="only mutants whose line, as --list shows it, holds this; may be given more than once",
    )
    parser.add_argument(
        "--after", metavar="N", type=int, default=0, help="pass over the first N: an earlier run had them"
    )
    parser.add_argument("--list", action="store_true", help="show the mutants and run nothing")
    return parser.parse_args(words)


def sources() -> list[Source]:
    """What is to be broken, as it is now."""
    contracts = paths.ROOT / "contracts"
    found = [
        path for path in contracts.rglob("*.sol") if not {*path.relative_to(contracts).parts} & {*LEFT_OUT}
    ]
    # What holds the money first: contracts before what they are made of.
    found.sort(key=lambda path: (len(path.parts), path))
    return [Source(str(path.relative_to(paths.ROOT)), path.read_text()) for path in found]


def everything() -> list[Mutant]:
    """All mutants of the contracts as they are now."""
    return mutants(sources())


def clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def try_all(
    found: Iterable[Result], total: int, now: Callable[[], float] = time.monotonic
) -> Iterator[Result]:
    """One line for each, with the time it took so far and the time that all will take at this pace."""
    begin = now()
    for number, result in enumerate(found, 1):
        spent = now() - begin
        progress = f"{number:>4}/{total} {clock(spent)} of about {clock(spent / number * total)}"
        print(f"{progress}  {result.verdict:<16} {result.mutant}", flush=True)
        if result.by:
            print(f"{'':>32}{result.by}", flush=True)
        yield result


def find_all(chosen: Sequence[Mutant], folder: Path) -> Iterator[Result]:
    """Those that a switch makes live, many to a build; then the others, each in a build of its own."""
    at_work = sources()
    _, alone = instrument_all(at_work, dict(enumerate(chosen)))
    yield from Ward(folder, at_work, load()).verdicts([m for n, m in enumerate(chosen) if n not in alone])
    if alone:
        laboratory = Laboratory(folder / "alone")
        for number in alone:
            yield Result(chosen[number], laboratory.verdict(chosen[number]))


def judge(results: Iterable[Result], equivalents: Container[Key]) -> int:
    """Show the survivors and the closing line; 1 if something is to be done."""
    counted = [result for result in results if result.verdict != Verdict.BROKEN]
    survived = [result.mutant for result in counted if result.verdict == Verdict.SURVIVED]
    new = [mutant for mutant in survived if mutant.key not in equivalents]
    wrong = [r.mutant for r in counted if r.verdict == Verdict.KILLED and r.mutant.key in equivalents]
    for title, rows in (
        ("Survivors that no test noticed", new),
        ("Listed as equivalent, but noticed", wrong),
    ):
        if rows:
            print(f"\n{title}:")
        for mutant in rows:
            print(f"  {mutant.path}:{mutant.line}  {mutant.function}  [{mutant.kind}]")
            print(f"    - {mutant.was}\n    + {mutant.becomes}")
    if len(survived) > len(new):
        print(f"\n{len(survived) - len(new)} survivors are listed as equivalent in equivalent.toml")
    killed = len(counted) - len(survived)
    print(f"{len(counted)} mutants, {killed} killed, {len(survived)} survived", flush=True)
    return 1 if new or wrong else 0


def main(words: Sequence[str]) -> int:
    options = arguments(words)
    patterns = options.only or [""]
    chosen = [m for m in everything() if any(pattern in str(m) for pattern in patterns)][options.after :]
    if options.list:
        print("\n".join(map(str, chosen)))
        return 0
    if not chosen:
        print(f"no mutant has any of {patterns} in its line: see --list", file=sys.stderr)
        return 2
    results: list[Result] = []
    failure = ""
    with tempfile.TemporaryDirectory(prefix="vouch-mutants-") as folder:
        print(f"{len(chosen)} mutants; first a build, and the tests without any ...", flush=True)
        try:
            for result in try_all(find_all(chosen, Path(folder)), len(chosen)):
                results.append(result)  # noqa: PERF402  # what is there when it is stopped counts
        except MutationError as error:
            failure = str(error)
        except KeyboardInterrupt:
            failure = "stopped"
    code = judge(results, load())
    if failure:
        print(f"mutants: {failure}\n{len(chosen) - len(results)} mutants were not tried", file=sys.stderr)
        return 2
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
