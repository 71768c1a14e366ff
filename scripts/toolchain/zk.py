"""What tests of the zk route need: Noir, bb and a short development string, by the package's own set-up."""

import os

from scripts.toolchain import paths
from scripts.toolchain.env import environment
from scripts.toolchain.progress import CommandFailed, run, step
from scripts.toolchain.python_env import explain, python_of
from scripts.toolchain.stamp import Stamp, digest

POINTS = 1 << 14
"""Gates that a test's circuit may have."""


def ensure_zk() -> None:
    """.toolchain/zk as `vouch zk setup` makes it; needs .venv.

    Raises:
        SetupError: npm failed, or there is no bb for this machine.
    """
    prover = paths.ROOT / "python" / "vouch" / "prover"
    sources = [
        prover / name for name in ("toolchain.py", "srs.py", "js/package.json", "js/package-lock.json")
    ]
    stamp, wanted = Stamp("zk"), digest(str(POINTS), *sources)
    if stamp.read() == wanted and (paths.ZK / "npm").exists() and (paths.ZK / "dev-srs").exists():
        return
    install = (
        "from vouch.prover import srs, toolchain; "
        f"toolchain.install(); srs.ensure_dev(toolchain.default_home(), {POINTS})"
    )
    # A Node.js that this set-up has brought already serves here, too.
    own = paths.TOOLCHAIN / "node" / "bin"
    variables = environment()
    variables["PATH"] = os.pathsep.join([variables["PATH"], str(own)])
    with step("zk programs (Noir, bb) and a development reference string"), stamp.redo(wanted):
        try:
            run([python_of(paths.VENV), "-c", install], env=variables)
        except CommandFailed as failure:
            raise explain(failure) from failure
