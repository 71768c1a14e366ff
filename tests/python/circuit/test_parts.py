from typing import Any

import pytest

from vouch.circuit.errors import BadIntegerModel
from vouch.circuit.parts import Port


def test_size() -> None:
    assert Port("x", "FP32", (2, 3, 4), 6).size == 24
    assert Port("x", "INT64", (), 0).size == 1


@pytest.mark.parametrize(
    ("values", "path"),
    [
        (("", "FP32", (1,), 6), "name"),
        ((b"x", "FP32", (1,), 6), "name"),
        (("x", "float32", (1,), 6), "dtype"),
        (("x", "FP32", (1, 0), 6), "shape"),
        (("x", "FP32", (None, 2), 6), "shape"),
        (("x", "FP32", (True,), 6), "shape"),
        (("x", "FP32", [1], 6), "shape"),
        (("x", "FP32", (1,), -1), "decimals"),
        (("x", "FP32", (1,), 37), "decimals"),
        (("x", "FP32", (1,), True), "decimals"),
    ],
)
def test_ports_are_checked(values: tuple[Any, ...], path: str) -> None:
    with pytest.raises(BadIntegerModel) as caught:
        Port(*values)
    assert caught.value.path == path
