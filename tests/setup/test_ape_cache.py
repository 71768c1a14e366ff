from pathlib import Path

import pytest

from scripts.toolchain.ape_cache import drop_copies, drop_if_stale


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """ape's cache in a project of two sources."""
    (tmp_path / "contracts" / "types").mkdir(parents=True)
    (tmp_path / "contracts" / "Hub.sol").write_text("contract Hub {}")
    (tmp_path / "contracts" / "types" / "Claim.sol").write_text("struct Claim { bytes32 id; }")
    (tmp_path / "ape-config.yaml").write_text("name: vouch\n")
    path = tmp_path / ".build" / "__local__.json"
    path.parent.mkdir()
    drop_if_stale(tmp_path, tmp_path / "stamps")
    path.write_text("{}")
    return path


def test_cache_stays_while_nothing_changes(cache: Path) -> None:
    assert not drop_if_stale(cache.parents[1], cache.parents[1] / "stamps")
    assert cache.exists()


@pytest.mark.parametrize("name", ["contracts/types/Claim.sol", "ape-config.yaml", "contracts/New.sol"])
def test_cache_goes_when_a_source_or_a_setting_changes(cache: Path, name: str) -> None:
    (cache.parents[1] / name).write_text("// changed")
    assert drop_if_stale(cache.parents[1], cache.parents[1] / "stamps")
    assert not cache.exists()


def test_copies_go(cache: Path) -> None:
    root = cache.parents[1]
    drop_copies(root)
    copy = root / "contracts" / ".cache" / "openzeppelin" / "Ownable.sol"
    copy.parent.mkdir(parents=True)
    copy.touch()
    drop_copies(root)
    assert not (root / "contracts" / ".cache").exists()
    assert (root / "contracts" / "Hub.sol").exists()
