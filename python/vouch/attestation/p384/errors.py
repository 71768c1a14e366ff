"""What can be wrong with a P-384 signature or its hints."""

from vouch.protocol.errors import VouchError


class WrongSize(VouchError):
    """A part of a signed digest is too long or too short."""

    def __init__(self, what: str, received: int, expected: int) -> None:
        self.what, self.received, self.expected = what, received, expected
        super().__init__(
            f"a {what} has {expected} bytes, not {received}: pad coordinates and scalars with zeros"
        )


class NoSuchPoint(VouchError):
    """The signature is not valid, so there is nothing to prove."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the signature is not valid: {why}")


class Refused(VouchError):
    """P384.sol would revert; `name` and `values` are those of its error."""

    def __init__(self, name: str, *values: int) -> None:
        self.name, self.values = name, values
        super().__init__(f"P384 refuses: {name}({', '.join(map(str, values))})")
