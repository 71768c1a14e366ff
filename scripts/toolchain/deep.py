"""How the programs of .venv-deep run: each with a folder, a forge build and a home directory of its own."""

import os
import shutil
from pathlib import Path

from scripts.toolchain import paths
from scripts.toolchain.env import environment


def program(name: str) -> Path:
    return paths.VENV_DEEP / "bin" / name


def fresh_folder(root: Path, name: str) -> Path:
    """An empty folder: forge keeps what was renamed or removed, and both programs would read that, too."""
    folder = root / ".build" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def environment_of(folder: Path, profile: str) -> dict[str, str]:
    """The project's variables; forge builds into `folder` with `profile` of foundry.toml.

    Both programs leave folders in the home directory or in the active environment, so they get others.
    """
    variables = environment()
    return variables | {
        "PATH": os.pathsep.join([str(paths.VENV_DEEP / "bin"), variables["PATH"]]),
        "HOME": str(folder),
        "VIRTUAL_ENV": str(paths.VENV_DEEP),
        "FOUNDRY_PROFILE": profile,
        "FOUNDRY_OUT": str(folder / "out"),
        "FOUNDRY_CACHE_PATH": str(folder / "cache"),
    }
