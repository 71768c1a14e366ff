"""The structure of documents and certificates: what stays without names, keys, numbers and signatures."""

from collections.abc import Mapping

import cbor2

from vouch.attestation.der import Cursor, Tag

Shape = tuple[object, ...]

_EXTENSIONS = 0xA3
_CONSTRUCTED = 0x20


def certificate_shape(der: bytes) -> Shape:
    """Tags, order and lengths; values where they say what the certificate is for. Not its signature."""
    outer = Cursor(der).enter(Tag.SEQUENCE)
    tbs, algorithm = outer.next(), outer.next()
    signature = outer.octet_string().enter(Tag.SEQUENCE)
    return _shapes(tbs), _shapes(algorithm), tuple(tag for tag, _ in _elements(signature))


def document_shape(raw: bytes) -> Shape:
    """Of the message, its payload, and every certificate in it."""
    protected, unprotected, payload, signature = cbor2.loads(raw)
    fields: Mapping[str, object] = cbor2.loads(payload)
    shape = [(name, _value_shape(value)) for name, value in fields.items()]
    return raw[0], protected, dict(unprotected), payload[0], payload[-1] == 0xFF, len(signature), tuple(shape)


def _value_shape(value: object) -> object:
    match value:
        case bytes():
            return certificate_shape(value) if value[:2] == b"\x30\x82" else len(value)
        case str():
            return value if value == "SHA384" else len(value)
        case list():
            return tuple(map(_value_shape, value))
        case dict():
            return tuple((key, _value_shape(entry)) for key, entry in value.items())
        case int():
            return len(cbor2.dumps(value))
        case _:
            return value


def _elements(cursor: Cursor) -> list[tuple[int, Cursor]]:
    found = []
    while not cursor.done():
        tag = cursor.peek()
        found.append((tag, cursor.next()))
    return found


def _shapes(cursor: Cursor, inside: int = 0) -> Shape:
    made: list[object] = []
    for tag, content in _elements(cursor):
        if tag & _CONSTRUCTED:
            made.append((tag, _shapes(content, inside or (tag if tag == _EXTENSIONS else 0))))
        elif tag == Tag.OCTET_STRING and inside and len(content.rest) != 20:
            made.append((tag, _shapes(content, Tag.OCTET_STRING)))
        elif tag in (Tag.OBJECT_IDENTIFIER, Tag.BOOLEAN) or (inside and len(content.rest) < 5):
            made.append((tag, content.rest))
        else:
            # Serial numbers have a zero in front or not, as chance will have it.
            made.append((tag, "number" if tag == Tag.INTEGER else len(content.rest)))
    return tuple(made)
