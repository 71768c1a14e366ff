"""What ape keeps between runs, and must not: python -m scripts.toolchain.ape_cache

It compiles only the files that changed, not those that import them, nor all when its settings change. And of
all that lies under contracts/ it looks at 500 files, where its own copy of OpenZeppelin has over 400.
"""

import shutil
from pathlib import Path

from scripts.toolchain import paths
from scripts.toolchain.stamp import Stamp, digest


def drop_if_stale(root: Path = paths.ROOT, stamps: Path = paths.STAMPS) -> bool:
    """Remove ape's cache in `root` if it is of other inputs than the present ones; says whether it did."""
    sources = sorted(path for path in (root / "contracts").rglob("*.sol") if ".cache" not in path.parts)
    settings = [root / "ape-config.yaml", root / "package.json"]
    names = [str(path.relative_to(root)) for path in sources]
    wanted, stamp = digest(*names, *sources, *settings), Stamp("ape-cache", stamps)
    if stamp.read() == wanted:
        return False
    with stamp.redo(wanted):
        (root / ".build" / "__local__.json").unlink(missing_ok=True)
    return True


def drop_copies(root: Path = paths.ROOT) -> None:
    """Remove ape's copies of what the contracts import; it makes them anew when it compiles."""
    shutil.rmtree(root / "contracts" / ".cache", ignore_errors=True)


if __name__ == "__main__":
    drop_if_stale()
    drop_copies()
