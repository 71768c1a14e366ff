"""The project's virtual environments, each made from one hash-locked requirements file."""

import importlib.util
import os
import shutil
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from scripts.toolchain import paths
from scripts.toolchain.progress import CommandFailed, SetupError, run, step
from scripts.toolchain.stamp import Stamp, digest

TORCH = "torch==2.13.0"

OFFLINE_MARKS = (
    "name resolution",
    "failed to lookup address",
    "Failed to establish a new connection",
    "Network is unreachable",
    "Connection refused",
    "ConnectTimeout",
    "dns error",
    "EAI_AGAIN",
    "ENOTFOUND",
    "ECONNREFUSED",
)


def require_venv() -> None:
    """Refuse a Python that cannot make virtual environments (scripts/toolchain/python.sh checks its version).

    Raises:
        SetupError: Debian's python3-venv is not installed.
    """
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SetupError(
            f"Python {version} cannot make virtual environments here: its ensurepip module is missing. "
            f"On Debian or Ubuntu: apt install python3-venv (or python{version}-venv)."
        )


def explain(failure: CommandFailed) -> SetupError:
    """The same failure, with the plain reason in front when it is the network."""
    if any(mark in failure.output for mark in OFFLINE_MARKS):
        return SetupError(
            "no package registry answers: this first set-up needs the network once. Check the connection, or "
            "point pip and npm to your mirror (pip config set global.index-url, npm config set registry).\n"
            f"  {failure}"
        )
    return failure


def python_of(env: Path) -> Path:
    return env / "bin" / "python"


def identity() -> str:
    """Which interpreter the environments are made from."""
    return f"{sys.version_info[:3]} {os.path.realpath(sys.executable)}"


def create(env: Path, *, pip: bool) -> None:
    """Make `env` anew, empty but for pip if asked."""
    shutil.rmtree(env, ignore_errors=True)
    run([sys.executable, "-m", "venv", *([] if pip else ["--without-pip"]), env])


def boot() -> Path:
    """The set-up's own environment (pip, uv and the build backend); gives its Python."""
    stamp, lock = Stamp("boot"), paths.REQUIREMENTS / "boot.txt"
    wanted = digest(identity(), lock)
    if stamp.read() != wanted or not python_of(paths.BOOT).exists():
        with step("installer (uv, by pip)"), stamp.redo(wanted):
            create(paths.BOOT, pip=True)
            install_with_pip(paths.BOOT, lock)
    return python_of(paths.BOOT)


def _pip(*words: str | Path) -> list[str | Path]:
    return [python_of(paths.BOOT), "-m", "pip", "--disable-pip-version-check", "--no-input", *words]


def install_with_pip(env: Path, lock: Path) -> None:
    """Install exactly `lock` into `env`.

    Raises:
        SetupError: pip failed; says so in plain words when no registry answers.
    """
    flags = ("--no-deps", "--require-hashes")
    try:
        run(_pip("--python", python_of(env), "install", *flags, "--requirement", lock))
    except CommandFailed as failure:
        raise explain(failure) from failure


def _install(env: Path, lock: Path) -> None:
    """Bring `env` to exactly `lock`, by uv, or by pip where only pip knows the way to a registry."""
    uv = paths.BOOT / "bin" / "uv"
    try:
        run([uv, "pip", "sync", "--quiet", "--python", python_of(env), "--require-hashes", lock])
    except CommandFailed as failure:
        first = next((line for line in failure.output.splitlines() if line.strip()), "no message")
        print(f"    uv could not ({first.strip()}); trying pip", flush=True)
        install_with_pip(env, lock)


def _install_project(env: Path) -> None:
    """Put the checkout itself into `env`, editable, without resolving or downloading anything."""
    wheels = paths.TOOLCHAIN / "editable"
    shutil.rmtree(wheels, ignore_errors=True)
    wheels.mkdir(parents=True)
    build = "import sys; from hatchling.build import build_editable; build_editable(sys.argv[1])"
    run([python_of(paths.BOOT), "-c", build, wheels])
    (wheel,) = wheels.glob("*.whl")
    flags = ("--no-deps", "--no-index", "--force-reinstall")
    run(_pip("--python", python_of(env), "install", *flags, wheel))


def _ensure(title: str, env: Path, lock: str, *, project: bool, extra: Sequence[str] = ()) -> None:
    stamp, path = Stamp(env.name), paths.REQUIREMENTS / lock
    wanted = _wanted(path, project=project, extra=extra)
    if stamp.read() == wanted and python_of(env).exists():
        return
    boot()
    # No stamp: the last attempt was cut short, and what it left cannot be trusted.
    clean = stamp.read() is None or not _same_python(env)
    with step(title), stamp.redo(wanted):
        if clean:
            create(env, pip=False)
        _install(env, path)
        if project:
            _install_project(env)
        for requirement in extra:
            try:
                run(_pip("--python", python_of(env), "install", requirement))
            except CommandFailed as failure:
                raise explain(failure) from failure


def _wanted(lock: Path, *, project: bool, extra: Sequence[str] = ()) -> str:
    about = [_packaging()] if project else []
    return digest(identity(), lock, *about, *extra)


def _packaging() -> str:
    """What of pyproject.toml the installed package depends on; the linters' settings are not part of it."""
    whole = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())
    return repr((whole["build-system"], whole["project"], whole["tool"]["hatch"]))


def _same_python(env: Path) -> bool:
    try:
        version = run([python_of(env), "-c", "import sys; print(sys.version_info[:3])"])
    except CommandFailed:
        return False
    return version.strip() == str(sys.version_info[:3])


def ensure_runtime() -> None:
    """.venv with the run-time packages; the development set-up contains them, so it counts too."""
    dev = _wanted(paths.REQUIREMENTS / "dev.txt", project=True)
    if Stamp(paths.VENV.name).read() == dev and python_of(paths.VENV).exists():
        return
    _ensure("Python packages (.venv)", paths.VENV, "run.txt", project=True)


def ensure_development() -> None:
    """.venv with the run-time and the development packages."""
    _ensure("Python packages (.venv)", paths.VENV, "dev.txt", project=True)


def ensure_ape() -> None:
    """.venv-ape: ape wants older numpy and click than the rest, so it lives apart."""
    _ensure("ape (.venv-ape)", paths.VENV_APE, "ape.txt", project=True)


def ensure_llm() -> None:
    """.venv-llm: `transformers serve` and torch (whose build, CPU or CUDA, is the machine's choice)."""
    _ensure("language-model server (.venv-llm)", paths.VENV_LLM, "llm.txt", project=False, extra=[TORCH])


def ensure_deep() -> None:
    """.venv-deep: slither and halmos, which bring web3 and a solver that nothing else needs."""
    _ensure("slither and halmos (.venv-deep)", paths.VENV_DEEP, "deep.txt", project=False)
