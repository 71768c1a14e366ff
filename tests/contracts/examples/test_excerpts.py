"""What docs/consumers.md quotes is in the examples, line by line."""

import re

import pytest

from tests.support.artefacts import ROOT

DOCS = (ROOT / "docs/consumers.md").read_text()
QUOTED = re.findall(r"^```solidity\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)


def test_something_is_quoted() -> None:
    assert len(QUOTED) >= 5


@pytest.mark.parametrize("excerpt", QUOTED, ids=lambda excerpt: excerpt.split("\n")[0].strip()[:40])
def test_the_examples_say_so(excerpt: str) -> None:
    sources = [path.read_text() for path in (ROOT / "contracts/examples").glob("*.sol")]
    assert any(excerpt in source for source in sources)
