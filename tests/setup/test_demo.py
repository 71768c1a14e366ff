"""What scripts/demo sets up before it runs the demo."""

import os
import subprocess
from pathlib import Path

import pytest

from scripts.setup import PROFILES
from scripts.toolchain import paths
from scripts.toolchain.zk import ensure_zk


@pytest.mark.parametrize(
    ("flags", "profiles"),
    [([], ["demo"]), (["--gap"], ["demo"]), (["--enclave"], ["demo"]), (["--zk"], ["demo", "zk"])],
)
def test_only_the_demo_with_proofs_sets_up_what_makes_proofs(
    tmp_path: Path, flags: list[str], profiles: list[str]
) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nif [ "$1" = -c ]; then exit 0; fi\necho "$@"\nexit 3\n')
    python.chmod(0o755)
    done = subprocess.run(
        [paths.ROOT / "scripts" / "demo", *flags],
        env=os.environ | {"PYTHON": str(python)},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert (done.returncode, done.stdout.split()) == (3, ["-m", "scripts.setup", *profiles])
    assert (ensure_zk in [step for name in profiles for step in PROFILES[name]]) is ("--zk" in flags)
