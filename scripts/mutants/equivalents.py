"""The committed list of mutants that no test can tell from the contracts, each with the reason."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.mutants.operators import Key

LIST: Final = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True, slots=True)
class Equivalent:
    """`was` and `becomes` as the table of survivors shows them; `nth` of those that look the same."""

    path: str
    function: str
    was: str
    becomes: str
    reason: str
    nth: int = 1

    @property
    def key(self) -> Key:
        return self.path, self.function, self.was, self.becomes, self.nth


def load(path: Path = LIST) -> dict[Key, Equivalent]:
    """By the mutant's key.

    Raises:
        ValueError: an entry has no reason, or there are two for one mutant.
        TypeError: an entry lacks a field, or has one too many.
    """
    entries = [Equivalent(**table) for table in tomllib.loads(path.read_text()).get("mutant", ())]
    for entry in entries:
        if not entry.reason.strip():
            raise ValueError(f"say why this is equivalent: {entry}")
    found = {entry.key: entry for entry in entries}
    if len(found) != len(entries):
        raise ValueError(f"{path}: two entries for one mutant")
    return found
