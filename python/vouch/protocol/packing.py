"""Signed values of a few bits, packed into field elements (`contracts/libraries/PackedValues.sol`)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from vouch.protocol.errors import VouchError

MAX_BITS: Final = 64

_USABLE = 253
"""Bits that any element below 2**253, and so below the order of BN254's scalar field, has."""
_WORD = 32


class BadPacking(VouchError):
    """No such packing: at least one value, of 1 to 64 bits."""

    def __init__(self, count: int, bits: int) -> None:
        self.count, self.bits = count, bits
        super().__init__(
            f"{count} values of {bits} bits cannot be packed: give 1 or more, of 1 to {MAX_BITS} bits"
        )


class ValueOutOfRange(VouchError):
    """A value does not fit the bits that the circuit has for it. `index` counts from 0."""

    def __init__(self, index: int, value: int, bits: int) -> None:
        self.index, self.value, self.bits = index, value, bits
        limit = 1 << (bits - 1)
        super().__init__(
            f"value {index} is {value}, the circuit proves {-limit} to {limit - 1} ({bits} bits): clip it, "
            "or compile the model for a wider range"
        )


class WrongCount(VouchError):
    """Bytes hold another number of values than the circuit has."""

    def __init__(self, received: int, expected: int) -> None:
        self.received, self.expected = received, expected
        super().__init__(f"{received} values, the circuit has {expected}: encode them as the manifest says")


class NotCanonical(VouchError):
    """A packed word has bits that no value stands for."""

    def __init__(self, word: int) -> None:
        self.word = word
        super().__init__(f"0x{word:064x} is not the packed form of values: pack them again")


@dataclass(frozen=True, slots=True)
class Packing:
    """`count` signed values of `bits` bits, as few field elements as hold them. Raises BadPacking."""

    count: int
    bits: int

    def __post_init__(self) -> None:
        if self.count < 1 or not 1 <= self.bits <= MAX_BITS:
            raise BadPacking(self.count, self.bits)

    @property
    def per_field(self) -> int:
        """Values in one field element."""
        return _USABLE // self.bits

    @property
    def fields(self) -> int:
        """Field elements for all of them."""
        return -(-self.count // self.per_field)

    def pack(self, values: Sequence[int]) -> tuple[int, ...]:
        """Value j of an element is its bits [j·bits, (j+1)·bits), plus 2**(bits-1) so that it is positive.

        Raises WrongCount, ValueOutOfRange.
        """
        if len(values) != self.count:
            raise WrongCount(len(values), self.count)
        limit = 1 << (self.bits - 1)
        packed = [0] * self.fields
        for index, value in enumerate(values):
            if not -limit <= value < limit:
                raise ValueOutOfRange(index, value, self.bits)
            field, place = divmod(index, self.per_field)
            packed[field] |= (int(value) + limit) << (place * self.bits)
        return tuple(packed)

    def unpack(self, fields: Sequence[int]) -> tuple[int, ...]:
        """The inverse. Raises WrongCount, NotCanonical."""
        if len(fields) != self.fields:
            raise WrongCount(len(fields), self.fields)
        mask, limit = (1 << self.bits) - 1, 1 << (self.bits - 1)
        values: list[int] = []
        for field in fields:
            held = min(self.per_field, self.count - len(values))
            if field >> (held * self.bits):
                raise NotCanonical(field)
            values += [(field >> (place * self.bits) & mask) - limit for place in range(held)]
        return tuple(values)

    def words(self, data: bytes) -> tuple[int, ...]:
        """Packed elements of codec bytes (`vouch.protocol.codec`). Raises WrongCount, ValueOutOfRange."""
        if len(data) != self.count * _WORD:
            raise WrongCount(len(data) // _WORD, self.count)
        return self.pack([int.from_bytes(word, "big", signed=True) for word in split(data)])

    def data(self, fields: Sequence[int]) -> bytes:
        """Codec bytes of packed elements. Raises WrongCount, NotCanonical."""
        return b"".join(value.to_bytes(_WORD, "big", signed=True) for value in self.unpack(fields))


def split(data: bytes) -> Iterator[bytes]:
    """Its words of 32 bytes."""
    return (data[i : i + _WORD] for i in range(0, len(data), _WORD))
