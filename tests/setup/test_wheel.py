import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from scripts.toolchain import paths


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder: Path = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(paths.ROOT),
    ]
    subprocess.run(build, check=True, capture_output=True)
    (path,) = folder.glob("vouch_inference-*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_wheel_ships_the_sources_and_their_data(wheel: zipfile.ZipFile) -> None:
    package = paths.ROOT / "python" / "vouch"
    kept = [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    wanted = {f"vouch/{path.relative_to(package).as_posix()}" for path in kept}
    names = set(wheel.namelist())
    assert wanted <= names
    assert "vouch/py.typed" in names
    # Whoever installs the wheel has no compiler: every exported contract must be inside.
    assert "vouch/abi/InferenceHub.json" in names


def test_wheel_ships_nothing_else(wheel: zipfile.ZipFile) -> None:
    assert {name.split("/")[0].split("-")[0] for name in wheel.namelist()} == {"vouch", "vouch_inference"}


def test_wheel_installs_the_vouch_command(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert b"vouch = vouch.cli.main:main" in wheel.read(entry_points)


def test_wheel_asks_for_what_the_lock_holds(wheel: zipfile.ZipFile) -> None:
    (metadata,) = (name for name in wheel.namelist() if name.endswith("METADATA"))
    asked = message_from_bytes(wheel.read(metadata)).get_all("Requires-Dist") or []
    names = {requirement.split(">")[0] for requirement in asked}
    inputs = (paths.REQUIREMENTS / "run.in").read_text().splitlines()
    assert names == {line for line in inputs if line and not line.startswith("#")}
