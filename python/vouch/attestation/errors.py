"""Why a document or a certificate is refused: names and values are those of the contracts' errors."""

from vouch.attestation.reasons import REASONS
from vouch.protocol.errors import VouchError

Value = int | str | bytes


class Refused(VouchError):
    """The contracts would revert: `name` and `values` are those of the error, in words in the message."""

    def __init__(self, name: str, *values: Value) -> None:
        self.name, self.values = name, values
        super().__init__(f"{name}: {REASONS[name].format(*map(_shown, values))}")


class NotADocument(Refused):
    """No attestation document, by its form."""


class NotACertificate(Refused):
    """No certificate of the kind that Nitro's chains have, by its form. `index` counts from the root, 0."""

    index: int | None = None


class NotTrusted(Refused):
    """A document of the right form that does not follow from the pinned root, or not at this time.

    The first value counts certificates from the root, 0; their number stands for the document itself. Of
    WrongSignature, that is the only one: the contract adds the reason of P384's check, which has hints.
    """


def _shown(value: Value) -> Value:
    return f"0x{value.hex()}" if isinstance(value, bytes) else value
