"""Documents that somebody has changed: in their bytes, in what they say, and in how it is written."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.contracts.attestation.documents import PROTECTED

HEADS: Final = bytes.fromhex("00175b1b1818205f40585960787f9f8084a0a1b8bfbbc2c3d2d8f4f5f6f7f9fafbff1c")
"""Bytes that mean something where a head is."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """A map that may have a key twice."""

    items: tuple[tuple[Any, Any], ...]
    indefinite: bool = False


@dataclass(slots=True)
class Writer:
    """Writes CBOR, each head in another form with this chance, and remembers where the heads are."""

    random: Random
    chance: float = 0
    out: bytearray = field(default_factory=bytearray)
    heads: list[int] = field(default_factory=list)

    def item(self, value: Any) -> None:
        match value:
            case None:
                self._raw(b"\xf6")
            case Raw():
                self._raw(value.data)
            case int():
                self._head(0, value)
            case bytes():
                self._string(2, value)
            case str():
                self._string(3, value.encode("utf-8", "surrogateescape"))
            case Pairs():
                flat = [part for pair in value.items for part in pair]
                self._items(5, len(value.items), flat, value.indefinite or self._odd())
            case list() | tuple():
                self._items(4, len(value), value, self._odd())
            case _:
                raise TypeError(type(value))

    def _odd(self) -> bool:
        return self.random.random() < self.chance

    def _raw(self, data: bytes) -> None:
        self.heads.append(len(self.out))
        self.out += data

    def _head(self, major: int, argument: int) -> None:
        self.heads.append(len(self.out))
        if self._odd():
            argument = min(max(0, argument + self.random.choice((-1, 1, 0, 0, 256, 2**32))), 2**64 - 1)
        sizes = [size for size in (0, 1, 2, 4, 8) if argument < (1 << 8 * size if size else 24)]
        size = self.random.choice(sizes) if self._odd() else sizes[0]
        if size == 0:
            self.out.append(major << 5 | argument)
        else:
            self.out.append(major << 5 | 24 + size.bit_length() - 1)
            self.out += argument.to_bytes(size, "big")

    def _string(self, major: int, data: bytes) -> None:
        if self._odd():
            cut = self.random.randrange(len(data) + 1)
            self._raw(bytes([major << 5 | 31]))
            for part in (data[:cut], data[cut:]):
                self._head(major, len(part))
                self.out += part
            self.out.append(0xFF)
        else:
            self._head(major, len(data))
            self.out += data

    def _items(self, major: int, count: int, items: Any, indefinite: bool) -> None:
        if indefinite:
            self._raw(bytes([major << 5 | 31]))
        else:
            self._head(major, count)
        for item in items:
            self.item(item)
        if indefinite:
            self.out.append(0xFF)


@dataclass(frozen=True, slots=True)
class Raw:
    """An item that is encoded already."""

    data: bytes


Entries = list[tuple[Any, Any]]


def entries(random: Random) -> Entries:
    """A small payload: documents of half a kilobyte reach all rules that those of five reach."""
    return [
        ("module_id", "i-" + "".join(random.choices("0123456789abcdefé漢😀", k=6))),
        ("digest", "SHA384"),
        ("timestamp", random.choice((1, 23, 24, 255, 256, 1_700_000_000_000, 2**64 - 1))),
        ("pcrs", Pairs(tuple((n, random.randbytes(48)) for n in sorted(random.sample(range(32), 3))))),
        ("certificate", random.randbytes(random.choice((1, 23, 24, 30)))),
        ("cabundle", [random.randbytes(random.choice((1, 24, 30))) for _ in range(random.choice((1, 2, 8)))]),
        ("public_key", random.choice((None, random.randbytes(24)))),
        ("user_data", random.choice((None, b"", random.randbytes(24)))),
        ("nonce", random.choice((None, b"", random.randbytes(24)))),
    ]


def written(values: Entries, random: Random, chance: float = 0, *, indefinite: bool = True) -> Writer:
    """The document. The heads are those of the payload too."""
    inner = Writer(random, chance)
    inner.item(Pairs(tuple(values), indefinite))
    writer = Writer(random, chance)
    # An empty map, as Pairs may be written as one of indefinite length too.
    writer.item([PROTECTED, Pairs(()), bytes(inner.out), random.randbytes(96)])
    start = bytes(writer.out).find(bytes(inner.out))
    if start >= 0:
        writer.heads += [start + head for head in inner.heads]
    return writer


def mutated(random: Random) -> bytes:
    """A document after one to three changes of any kind."""
    values, chance = entries(random), 0.0
    indefinite = random.random() < 0.5
    steps = random.choices(("say", "write", "bytes"), k=random.choice((1, 1, 2, 3)))
    for _ in range(steps.count("say")):
        values = random.choice(SAYINGS)(random, values)
    if "write" in steps:
        chance = random.choice((0.02, 0.05, 0.2))
    writer = written(values, random, chance, indefinite=indefinite)
    data = bytes(writer.out)
    if random.random() < 0.1:
        data = b"\xd2" + data
    for _ in range(steps.count("bytes")):
        data = scratched(random, data, writer.heads)
    return data


def scratched(random: Random, data: bytes, heads: list[int]) -> bytes:
    """Other bytes somewhere, mostly where a head is."""
    if not data:
        return b"\x00"
    where = random.choice(heads) if heads and random.random() < 0.7 else random.randrange(len(data))
    where = min(where, len(data) - 1)
    before, byte, after = data[:where], data[where], data[where + 1 :]
    return random.choice(
        (
            before + bytes([byte ^ 1 << random.randrange(8)]) + after,
            before + random.choice(HEADS).to_bytes() + after,
            before + random.choice(HEADS).to_bytes() + bytes([byte]) + after,
            before + bytes([byte]) + random.choice(HEADS).to_bytes() + after,
            before + after,
            before,
            data + random.choice((b"\x00", b"\xff", b"\xf6", data)),
            before + bytes([byte & 0xE0 | 27]) + random.choice((b"\xff" * 8, bytes(8))) + after,
        )
    )


def _swap(random: Random, values: Entries) -> Entries:
    return random.sample(values, len(values))


def _drop(random: Random, values: Entries) -> Entries:
    gone = random.randrange(len(values)) if values else 0
    return values[:gone] + values[gone + 1 :]


def _twice(random: Random, values: Entries) -> Entries:
    return [*values, random.choice(values or [("nonce", None)])]


def _rename(random: Random, values: Entries) -> Entries:
    names = ("nonces", "Nonce", "", "nonce\0", b"nonce", 0, None, "digest", "public_key", "\udcff", "x" * 300)
    return _change(random, values, lambda _, value: (random.choice(names), value))


def _other_value(random: Random, values: Entries) -> Entries:
    """Any type and any size, the edges above all."""
    made = (
        *(0, 1, 2**64 - 1, None, "", "SHA384", "SHA256", "SHA3840", [], [b"1"], [b""] * 2, [None], Pairs(())),
        *(bytes(size) for size in (0, 1, 31, 32, 1023, 1024, 1025)),
        *("x" * size for size in (1, 1024, 1025)),
        *([b"1"] * size for size in (8, 9)),
        *("\udc80", "\udced\udca0\udc80", "\udcc0\udc80", "\udcf4\udc90\udc80\udc80"),
        *(Raw(bytes.fromhex(raw)) for raw in ("c24105", "f4", "f7", "f90000", "fb3ff0000000000000", "20")),
        *(Raw(bytes.fromhex(raw)) for raw in ("c249010000000000000000", "f816", "d81843010203", "ff", "1c")),
    )
    return _change(random, values, lambda key, _: (key, random.choice(made)))


def _other_pcrs(random: Random, values: Entries) -> Entries:
    count = random.choice((0, 1, 2, 31, 32, 33))
    numbers: list[Any] = random.sample(range(32), min(count, 32)) + [0] * (count - 32)
    pcrs: list[tuple[Any, Any]] = [
        (number, random.randbytes(random.choice((32, 48, 64)))) for number in numbers
    ]
    if pcrs and random.random() < 0.6:
        odd = random.randrange(len(pcrs))
        number = random.choice((32, 2**64 - 1, Raw(b"\x20"), "0", pcrs[0][0], 31))
        pcr = random.choice((b"", bytes(31), bytes(33), bytes(47), bytes(49), bytes(63), bytes(65), None))
        pcrs[odd] = random.choice(((number, pcrs[odd][1]), (pcrs[odd][0], pcr)))
    return [(key, Pairs(tuple(pcrs)) if key == "pcrs" else value) for key, value in values]


def _tagged(random: Random, values: Entries) -> Entries:
    """A tag that cbor2 takes off again, in front of a key or of a value; a number as a bignum."""
    tags = (b"\xd9\xd9\xf7", b"\xd8\x1c", b"\xd2", b"\xc1")

    def change(key: Any, value: Any) -> tuple[Any, Any]:
        if isinstance(value, int):
            return key, Raw(b"\xc2\x48" + value.to_bytes(8, "big"))
        writer = Writer(random)
        writer.item(random.choice((key, value)))
        tagged = Raw(random.choice(tags) + writer.out)
        return random.choice(((tagged, value), (key, tagged)))

    return _change(random, values, change)


def _change(random: Random, values: Entries, change: Callable[[Any, Any], tuple[Any, Any]]) -> Entries:
    if not values:
        return values
    at = random.randrange(len(values))
    return [*values[:at], change(*values[at]), *values[at + 1 :]]


SAYINGS: Final = (_swap, _drop, _twice, _rename, _other_value, _other_value, _other_pcrs, _tagged)
