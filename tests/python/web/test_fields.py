from collections.abc import Callable
from typing import Any

import pytest

from vouch.web.errors import MalformedBody
from vouch.web.fields import address_of, bytes_of, integer_of, list_of, object_of

ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def small(body: dict[str, Any], field: str) -> int:
    return integer_of(body, field, 1, 10)


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (small, 1, 1),
        (small, 9, 9),
        (address_of, ADDRESS.lower(), ADDRESS),
        (bytes_of, "0x", b""),
        (bytes_of, "0x00fF", b"\x00\xff"),
        (list_of, [1], [1]),
    ],
)
def test_good_fields(read: Callable[..., Any], value: Any, expected: Any) -> None:
    assert read({"x": value}, "x") == expected


BAD: list[tuple[Callable[..., Any], list[Any]]] = [
    (small, [0, 10, True, "1", 1.0, None]),
    (address_of, [ADDRESS[:-1], 1, None, "0x" + "g" * 40]),
    (bytes_of, ["00", "0x0", "0x 00", "0x0 0", "0xgg", 0, None]),
    (list_of, [{}, "[]", None]),
]


@pytest.mark.parametrize(("read", "value"), [(read, value) for read, values in BAD for value in values])
def test_bad_fields(read: Callable[..., Any], value: Any) -> None:
    for body in ({"x": value}, {}):
        with pytest.raises(MalformedBody) as bad:
            read(body, "x")
        assert bad.value.field == "x"


def test_objects() -> None:
    assert object_of({"a": 1}, "items[0]") == {"a": 1}
    with pytest.raises(MalformedBody, match=r"items\[0\] is a JSON list"):
        object_of([], "items[0]")
