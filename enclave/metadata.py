"""Gives sources in a folder the name and version that an installed package has, without a build."""  # noqa: INP001

import sys
import tomllib
from pathlib import Path

folder = Path(sys.argv[1])
project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
name, version = project["name"], project["version"]
made = folder / f"{name.replace('-', '_')}-{version}.dist-info"
made.mkdir()
(made / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
