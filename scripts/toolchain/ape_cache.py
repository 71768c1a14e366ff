"""ape compiles only the files that changed, not those that import them, nor all when its settings change.

So its cache is dropped whenever any source or setting changed: python -m scripts.toolchain.ape_cache
"""

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


if __name__ == "__main__":
    drop_if_stale()
