import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.python.node.asking import CHAIN_ID, HUB, OTHER, question
from vouch.node.config import NodeConfig
from vouch.node.errors import InputMismatch, InputTooLarge, UnknownHub, UnsupportedRoute
from vouch.node.question import Question
from vouch.protocol.errors import VouchError
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM
from vouch.protocol.seal import SIGNED

ASKED = question(b"hello", b"m" * 32)
ROUTES = (SIGNED, QUORUM)


def config(**changes: Any) -> NodeConfig:
    return NodeConfig((), Path("journal"), **changes)


def test_the_id_is_that_of_the_terms() -> None:
    assert ASKED.request_id == ASKED.terms.id(CHAIN_ID, HUB)


def test_what_is_as_it_should_be() -> None:
    ASKED.check(config(), ROUTES)
    ASKED.check(config(hubs=((1, HUB), (CHAIN_ID, HUB)), max_input_bytes=5), (SIGNED,))


@pytest.mark.parametrize(
    ("asked", "changes", "error", "values"),
    [
        (dataclasses.replace(ASKED, chain_id=1), {"hubs": ((CHAIN_ID, HUB),)}, UnknownHub, (1, HUB)),
        (
            dataclasses.replace(ASKED, hub=OTHER),
            {"hubs": ((CHAIN_ID, HUB),)},
            UnknownHub,
            (CHAIN_ID, OTHER),
        ),
        (question(b"hello", b"m" * 32, route=b"NITR"), {}, UnsupportedRoute, (b"NITR", ROUTES)),
        (ASKED, {"max_input_bytes": 4}, InputTooLarge, (5, 4)),
        (
            dataclasses.replace(ASKED, input=b"hullo"),
            {},
            InputMismatch,
            (keccak(b"hullo"), keccak(b"hello")),
        ),
    ],
)
def test_refusals(
    asked: Question, changes: dict[str, Any], error: type[VouchError], values: tuple[Any, ...]
) -> None:
    with pytest.raises(error) as refused:
        asked.check(config(**changes), ROUTES)
    assert tuple(vars(refused.value).values()) == values
