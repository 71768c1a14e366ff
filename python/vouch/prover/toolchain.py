"""The programs of the zk route, pinned by hash: Node.js with Noir's compiler and solc, and bb."""

import hashlib
import json
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import platformdirs

from vouch.prover import nodejs
from vouch.prover.errors import InstallFailed, ToolchainMissing
from vouch.prover.lock import Progress, alone, silent

HOME_VARIABLE: Final = "VOUCH_ZK_HOME"
_MACHINES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_SYSTEMS: Final = {"linux": "linux", "darwin": "macos"}
_LOCKS: Final = ("package.json", "package-lock.json")
_RECORD: Final = "installed.json"


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Where the parts are.

    node: Node.js' executable.
    modules: the folder node_modules with @noir-lang/noir_wasm, @noir-lang/noir_js and solc.
    bb: Barretenberg's native executable.
    home: the folder of all this, which also keeps the reference strings.
    """

    node: Path
    modules: Path
    bb: Path
    home: Path

    def version(self, package: str) -> str:
        """The installed version of an npm package. Raises ToolchainMissing."""
        try:
            return str(json.loads((self.modules / package / "package.json").read_bytes())["version"])
        except (OSError, ValueError, KeyError) as error:
            raise ToolchainMissing(self.home, f"the npm package {package} is not there") from error


def default_home() -> Path:
    """$VOUCH_ZK_HOME, or `zk` in the user's data folder."""
    chosen = os.environ.get(HOME_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_data_path("vouch") / "zk"


def find(home: Path | None = None) -> Toolchain:
    """The toolchain that `install` put into `home`. Raises ToolchainMissing."""
    home = (home or default_home()).absolute()
    try:
        record = json.loads((home / "npm" / _RECORD).read_bytes())
    except FileNotFoundError:
        raise ToolchainMissing(home, "never installed") from None
    except (ValueError, OSError) as error:
        raise ToolchainMissing(home, f"{_RECORD} is damaged") from error
    if not isinstance(record, dict):
        raise ToolchainMissing(home, f"{_RECORD} is damaged")
    if record.get("lock") != _locks():
        raise ToolchainMissing(home, "it is of another version of Vouch")
    found = _toolchain(home, Path(str(record.get("node"))))
    for part in (found.node, found.bb):
        if not os.access(part, os.X_OK) or part.is_dir():
            raise ToolchainMissing(home, f"{part} is gone")
    return found


def install(home: Path | None = None, progress: Progress = silent) -> Toolchain:
    """Bring `home` to this package's exact versions; does nothing where they are already.

    Needs the network once (some 100 MB stay on the disk). A half-finished installation is never seen.

    Raises:
        InstallFailed: no network, or no bb for this machine.
    """
    home = (home or default_home()).absolute()
    with alone(home / "lock", progress):
        try:
            return find(home)
        except ToolchainMissing:
            pass
        platform_name()
        node = nodejs.on_path() or nodejs.from_wheel(home, progress)
        progress("installing Noir's compiler, solc and bb (npm)")
        fresh = home / "npm.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        for name in _LOCKS:
            (fresh / name).write_bytes(_shipped(name))
        flags = ("--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
        nodejs.run(
            "the npm packages of the zk route",
            [*node.npm, "ci", *flags, "--loglevel=error"],
            cwd=fresh,
            path=node.program.parent,
        )
        _keep_own_build(fresh / "node_modules")
        (fresh / _RECORD).write_text(json.dumps({"lock": _locks(), "node": str(node.program)}) + "\n")
        shutil.rmtree(home / "npm", ignore_errors=True)
        fresh.rename(home / "npm")
        progress(f"the zk toolchain is in {home}")
        return find(home)


def platform_name() -> str:
    """This machine in bb's words, such as "amd64-linux". Raises InstallFailed where there is no bb."""
    machine, system = _MACHINES.get(platform.machine().lower()), _SYSTEMS.get(sys.platform)
    if machine is None or system is None:
        raise InstallFailed(
            "bb",
            f"there is no build for {platform.machine()} on {sys.platform}: "
            "use Linux or macOS on x86-64 or arm64",
        )
    return f"{machine}-{system}"


def _toolchain(home: Path, node: Path) -> Toolchain:
    modules = home / "npm" / "node_modules"
    return Toolchain(node, modules, _builds(modules) / platform_name() / "bb", home)


def _builds(modules: Path) -> Path:
    return modules / "@aztec" / "bb.js" / "build"


def _keep_own_build(modules: Path) -> None:
    """Drop the executables of other platforms (100 MB), and see that our own runs."""
    own = _builds(modules) / platform_name()
    for build in _builds(modules).iterdir():
        if build != own:
            shutil.rmtree(build)
    bb = own / "bb"
    if not bb.exists():
        raise InstallFailed("bb", f"the npm package has no build for {platform_name()}")
    bb.chmod(bb.stat().st_mode | 0o111)
    nodejs.run("bb", [str(bb), "--version"])


def _shipped(name: str) -> bytes:
    return (files("vouch.prover") / "js" / name).read_bytes()


def _locks() -> str:
    """Hash of what is to be installed."""
    return hashlib.sha256(b"\0".join(_shipped(name) for name in _LOCKS)).hexdigest()
