"""Where the toolchain lives: everything is inside the checkout, nothing is shared with the machine."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
TOOLCHAIN: Final = ROOT / ".toolchain"
BIN: Final = TOOLCHAIN / "bin"
BOOT: Final = TOOLCHAIN / "boot"
SOLCX: Final = TOOLCHAIN / "solcx"
ZK: Final = TOOLCHAIN / "zk"
STAMPS: Final = TOOLCHAIN / "stamps"
# For whoever wants no __pycache__ beside the sources.
BYTECODE: Final = ROOT / ".build" / "pycache"
REQUIREMENTS: Final = ROOT / "requirements"
NODE_MODULES: Final = ROOT / "node_modules"
VENV: Final = ROOT / ".venv"
VENV_APE: Final = ROOT / ".venv-ape"
VENV_LLM: Final = ROOT / ".venv-llm"
VENV_DEEP: Final = ROOT / ".venv-deep"
