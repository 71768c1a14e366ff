"""Write <Name>.json for every contract and interface: python -m scripts.export_abi [--check [--built FOLDER]]

To python/vouch/abi; what is in contracts/test to tests/abi.

The wheel ships the former, so whoever uses Vouch from Python needs no compiler. `--check` compiles and
compares instead of writing, and ends with code 1 when a file is stale, missing or left over; with `--built`
it compares with what forge built there a moment ago, and compiles nothing.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.toolchain import paths
from scripts.toolchain.env import environment

CONTRACTS = paths.ROOT / "contracts"
BUILT = paths.ROOT / ".build"
"""Where forge builds: `out` in it holds the artifacts, `cache` the list of them."""
EXPORTED = paths.ROOT / "python" / "vouch" / "abi"
# What only tests deploy stays out of the wheel; VOUCH_ABI_PATH leads there.
FOR_TESTS = paths.ROOT / "tests" / "abi"


class ExportError(Exception):
    """The contracts cannot be exported; the message says why."""


def compile_contracts() -> None:
    """Let forge compile what changed.

    Raises:
        ExportError: the contracts do not compile.
    """
    # Without the tests and scripts: a failing test file must not hide whether the ABIs are fresh.
    command = ["forge", "build", "--skip", "test", "--skip", "script"]
    done = subprocess.run(
        command,
        cwd=paths.ROOT,
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        raise ExportError(f"{' '.join(command)} ended with code {done.returncode}:\n{done.stdout}")


def load(path: Path) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(path.read_text())
    return loaded


def artifacts(built: Path) -> Iterator[tuple[Path, str, Path]]:
    """(source, contract name, artifact) of everything in contracts/ that is up to date.

    Taken from forge's own list: its output folder also keeps what was renamed or removed.

    Raises:
        ExportError: forge has built nothing there.
    """
    known = built / "cache" / "solidity-files-cache.json"
    if not known.is_file():
        raise ExportError(f"forge has built nothing in {built}: run forge build")
    for source, entry in sorted(load(known)["files"].items()):
        path = paths.ROOT / source
        if not path.is_relative_to(CONTRACTS) or not path.is_file():
            continue
        for name, versions in sorted(entry["artifacts"].items()):
            for profiles in versions.values():
                for artifact in profiles.values():
                    yield path, name, built / "out" / artifact["path"]


def exported(name: str, source: str) -> bool:
    """Whether `source` defines `name` as a contract one can deploy or as an interface.

    Libraries and abstract contracts are not exported; a file of only structs has an artifact too, of no kind.
    """
    return re.search(rf"^(contract|interface)\s+{re.escape(name)}\b", source, re.MULTILINE) is not None


def render(name: str, built: Mapping[str, Any], source: Path) -> str:
    """One file's text: sorted keys, one member per line, so that a change shows as a small diff."""
    for part in ("bytecode", "deployedBytecode"):
        if built[part].get("linkReferences"):
            raise ExportError(f"{name} needs a library to be linked: make the library's functions internal")
    content = {
        "abi": sorted(built["abi"], key=_signature),
        "bytecode": built["bytecode"]["object"],
        "contractName": name,
        "deployedBytecode": built["deployedBytecode"]["object"],
        "sourceHash": hashlib.sha256(source.read_bytes()).hexdigest(),
    }
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _signature(member: Mapping[str, Any]) -> tuple[str, str, str]:
    return member["type"], member.get("name", ""), json.dumps(member, sort_keys=True)


def collect(built: Path = BUILT) -> dict[Path, dict[str, str]]:
    """Folder -> file name -> text of all exports.

    Raises:
        ExportError: two contracts have the same name, one needs linking, or forge built nothing.
    """
    everything: dict[Path, dict[str, str]] = {EXPORTED: {}, FOR_TESTS: {}}
    for source, name, path in artifacts(built):
        if not exported(name, source.read_text()):
            continue
        if any(f"{name}.json" in files for files in everything.values()):
            raise ExportError(f"two contracts are called {name}: rename one")
        folder = FOR_TESTS if source.is_relative_to(CONTRACTS / "test") else EXPORTED
        everything[folder][f"{name}.json"] = render(name, load(path), source)
    if not everything[EXPORTED]:
        raise ExportError(f"forge built no contract of {CONTRACTS}")
    return everything


def differences(wanted: Mapping[str, str], folder: Path) -> list[str]:
    """One line per file of `folder` that is not what `wanted` says."""
    present = {path.name: path.read_text() for path in folder.glob("*.json")}
    missing = [f"missing:   {name}" for name in wanted.keys() - present.keys()]
    left_over = [f"left over: {name}" for name in present.keys() - wanted.keys()]
    stale = [f"stale:     {name}" for name in wanted.keys() & present.keys() if wanted[name] != present[name]]
    return sorted([*missing, *left_over, *stale])


def write(wanted: Mapping[str, str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="export_abi", description="Export ABI and bytecode to python/vouch/abi."
    )
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument(
        "--built",
        metavar="FOLDER",
        type=Path,
        help="with --check: forge has just built there; do not compile",
    )
    options = parser.parse_args(words)
    if options.built and not options.check:
        parser.error("--built goes with --check: what is written is compiled anew")
    try:
        if options.built is None:
            compile_contracts()
        wanted = collect(options.built or BUILT)
    except ExportError as failure:
        print(f"export_abi: {failure}", file=sys.stderr)
        return 1
    found = [line for folder, texts in wanted.items() for line in differences(texts, folder)]
    if options.check:
        for line in found:
            print(line)
        if found:
            print("the exported ABIs are not what contracts/ compiles to: run scripts/export_abi.py")
        return 1 if found else 0
    for folder, texts in wanted.items():
        write(texts, folder)
        print(f"{len(texts)} contracts in {folder.relative_to(paths.ROOT)}")
    print(f"{len(found)} files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
