"""Certificates with something changed anywhere in their tree; what is around the change fits, or does not."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tests.contracts.attestation.certificates import BASIC_CONSTRAINTS, KEY_USAGE, length, point

NASTY = (
    b"",
    b"\x00",
    b"\x01",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\x00\x00",
    b"\x00\x7f",
    b"\x00\x80",
    b"\x00\xff",
    b"\xff\xff",
    b"\x01\x00",
    b"\x06\x40",
    b"\x07\x00\x80",
    b"\x06\x00\x40",
    b"\x80\x01",
    b"\x55\x1d\x0f",
    b"\x55\x1d\x13",
    b"\x55\x1d\x1e",
    b"\x55\x1d\x25",
    b"\x00" * 49,
    b"\xff" * 48,
    b"\x00" + b"\xff" * 48,
    b"\x01" + b"\x00" * 48,
    b"230229120000Z",
    b"240229120000Z",
    b"491231235959Z",
    b"500101000000Z",
    b"700101000000Z",
    b"240101000060Z",
    b"241301000000Z",
    b"2401010000Z",
    b"240101000000+0000",
    b"20491231235959Z",
    b"20500101000000Z",
    b"21000229000000Z",
    b"99991231235959Z",
)
PRIVATE = bytes.fromhex("2b06010401")
"""1.3.6.1.4.1, where companies have their own numbers."""
TAGS = (
    0x00,
    0x01,
    0x02,
    0x03,
    0x04,
    0x05,
    0x06,
    0x0C,
    0x17,
    0x18,
    0x1F,
    0x30,
    0x31,
    0x81,
    0xA0,
    0xA1,
    0xA3,
    0xBF,
)


@dataclass(slots=True)
class Node:
    """One element; `head` stands for tag and length where they are not DER's."""

    tag: int
    content: bytes
    children: list["Node"]
    before: bytes = b""
    """What lies before the children: unused bits."""
    head: bytes | None = None

    @property
    def der(self) -> bytes:
        content = (
            self.before + b"".join(child.der for child in self.children) if self.children else self.content
        )
        return (bytes([self.tag]) + length(len(content)) if self.head is None else self.head) + content

    def all(self) -> Iterator["Node"]:
        yield self
        for child in self.children:
            yield from child.all()


def tree(der: bytes) -> Node:
    """Of a valid certificate; also what is inside of its octet and bit strings."""
    (node,) = _nodes(der)
    return node


def _nodes(data: bytes) -> list[Node]:
    nodes = []
    while data:
        tag, size, header = data[0], data[1], 2
        if size >= 0x80:
            header += size - 0x80
            size = int.from_bytes(data[2:header], "big")
        content, data = data[header : header + size], data[header + size :]
        assert len(content) == size
        node = Node(tag, content, [])
        if tag & 0x20 or (tag == 0x04 and content[:1] in (b"\x30", b"\x03")):
            node.children = _nested(content)
        elif tag == 0x03 and content[:2] == b"\x00\x30":
            node.before, node.children = content[:1], _nested(content[1:])
        nodes.append(node)
    return nodes


def _nested(data: bytes) -> list[Node]:
    """Nothing if it only looks as if there were elements inside."""
    try:
        return _nodes(data)
    except (AssertionError, IndexError):
        return []


def mutated(random: Random, der: bytes) -> bytes:
    """Another certificate, changed in one place or two."""
    while True:
        made = der
        for _ in range(random.choice((1, 1, 1, 2))):
            made = random.choice((_flipped, _cut, *[_restructured] * 6))(random, made)
        if made != der:
            return made


def _flipped(random: Random, der: bytes) -> bytes:
    made = bytearray(der)
    made[random.randrange(len(made))] ^= 1 << random.randrange(8)
    return bytes(made)


def _cut(random: Random, der: bytes) -> bytes:
    at = random.randrange(len(der) + 1)
    return random.choice((der[:at], der[:at] + der[at + 1 :], der[:at] + random.randbytes(1) + der[at:]))


def _restructured(random: Random, der: bytes) -> bytes:
    try:
        root = tree(der)
    except (AssertionError, IndexError, ValueError):
        # The change before this one broke it.
        return _flipped(random, der) if der else b"\x30"
    parents = [node for node in root.all() if node.children]
    if not parents:
        return _flipped(random, der)
    parent = random.choice(parents)
    at = random.randrange(len(parent.children))
    node = parent.children[at]
    match random.choice(("remove", "repeat", "swap", "length", "tag", "content", "insert", "flag", "copy")):
        case "remove":
            del parent.children[at]
            if not parent.children:
                parent.content = parent.before
        case "repeat":
            parent.children.insert(at, node)
        case "swap":
            parent.children.insert(random.randrange(len(parent.children)), parent.children.pop(at))
        case "length":
            node.head = bytes([node.tag]) + _length(random, len(node.der) - 2)
        case "tag":
            node.tag = random.choice(TAGS)
        case "content":
            node.children, node.content = [], random.choice(NASTY)
        case "insert":
            made = Node(random.choice(TAGS), random.choice(NASTY), [])
            parent.children.insert(random.randrange(len(parent.children) + 1), made)
        case "flag":
            flags = [found for found in root.all() if found.tag == 0x01]
            random.choice(flags or [node]).content = random.choice(
                (b"\x00", b"\x01", b"\xff", b"", b"\xff\xff")
            )
        case "copy":
            parent.children[at] = random.choice(list(root.all()))
            if parent.children[at] is root or _contains(parent.children[at], parent):
                parent.children[at] = node
    return root.der


def _contains(node: Node, other: Node) -> bool:
    return any(found is other for found in node.all())


def _length(random: Random, size: int) -> bytes:
    size %= 0x10000
    return random.choice(
        (
            length(max(0, size - 1)),
            length(size + 1),
            b"\x80",
            b"\xff",
            b"\x81" + bytes([size % 256]),
            b"\x82" + size.to_bytes(2, "big"),
            b"\x83" + size.to_bytes(3, "big"),
            b"\x84\xff\xff\xff\xff",
        )
    )


def forgiving(der: bytes) -> bytes:
    """A well-formed certificate with harmless things where the contract does not look.

    Those are the values in names, extensions that are skipped, and whether the key is on the curve.
    """
    root = tree(der)
    tbs = root.children[0]
    _, _, _, issuer, _, subject, key, wrapper = tbs.children
    for name in (issuer, subject):
        for relative in name.children:
            relative.children[0].children[1] = Node(0x0C, b"x", [])
    key.children[1] = Node(0x03, b"\x00" + point(3), [])
    for extension in wrapper.children[0].children:
        kind, *_, value = extension.children
        if kind.content not in (KEY_USAGE, BASIC_CONSTRAINTS):
            # Equal ones stay equal, different ones different.
            kind.content, value.content, value.children = PRIVATE + kind.content, b"", []
    return root.der
