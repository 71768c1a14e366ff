import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from vouch.protocol.packing import BadPacking, NotCanonical, Packing, ValueOutOfRange, WrongCount
from vouch.protocol.zk import FIELD

packings = st.builds(Packing, st.integers(1, 70), st.integers(1, 64))


@st.composite
def packed_values(draw: st.DrawFn) -> tuple[Packing, list[int]]:
    packing = draw(packings)
    limit = 1 << (packing.bits - 1)
    values = st.one_of(st.integers(-limit, limit - 1), st.sampled_from([-limit, limit - 1, 0, -1]))
    return packing, draw(st.lists(values, min_size=packing.count, max_size=packing.count))


def words(values: list[int]) -> bytes:
    return encode(["int256"] * len(values), values)


@given(made=packed_values())
def test_packing(made: tuple[Packing, list[int]]) -> None:
    packing, values = made
    fields = packing.pack(values)
    assert len(fields) == packing.fields == -(-packing.count // (253 // packing.bits))
    assert all(0 <= field < 1 << 253 < FIELD for field in fields)
    assert packing.unpack(fields) == tuple(values)
    assert packing.words(words(values)) == fields
    assert packing.data(fields) == words(values)


def test_the_layout_in_numbers() -> None:
    packing = Packing(3, 100 // 2)
    assert packing.per_field == 5
    assert packing.pack([0, -1, 1]) == ((1 << 49) | ((1 << 49) - 1) << 50 | ((1 << 49) + 1) << 100,)
    assert Packing(2, 1).pack([0, -1]) == (0b01,)


@pytest.mark.parametrize(("value", "fits"), [(127, True), (128, False), (-128, True), (-129, False)])
def test_the_range(value: int, fits: bool) -> None:
    packing = Packing(2, 8)
    if fits:
        assert packing.unpack(packing.pack([0, value])) == (0, value)
        return
    with pytest.raises(ValueOutOfRange) as caught:
        packing.pack([0, value])
    assert (caught.value.index, caught.value.value, caught.value.bits) == (1, value, 8)
    with pytest.raises(ValueOutOfRange):
        packing.words(words([0, value]))


@pytest.mark.parametrize(("count", "bits"), [(0, 8), (-1, 8), (1, 0), (1, 65)])
def test_no_such_packing(count: int, bits: int) -> None:
    with pytest.raises(BadPacking) as caught:
        Packing(count, bits)
    assert (caught.value.count, caught.value.bits) == (count, bits)


def test_counts() -> None:
    packing = Packing(2, 8)
    with pytest.raises(WrongCount) as caught:
        packing.pack([1])
    assert (caught.value.received, caught.value.expected) == (1, 2)
    for data in (words([1]), words([1, 2, 3]), words([1, 2]) + b"\0"):
        with pytest.raises(WrongCount):
            packing.words(data)
    with pytest.raises(WrongCount):
        packing.unpack([])


@pytest.mark.parametrize("field", [1 << 16, FIELD, 1 << 255])
def test_bits_that_stand_for_nothing(field: int) -> None:
    with pytest.raises(NotCanonical) as caught:
        Packing(2, 8).unpack([field | 0x1234])
    assert caught.value.word == field | 0x1234
