"""What can be wrong with an integer model or with a question to it."""

from vouch.protocol.errors import VouchError


class BadIntegerModel(VouchError):
    """A part of an integer model is missing, unknown or wrong; `path` says which one (`nodes[3].weights`)."""

    def __init__(self, path: str, received: object, expected: str) -> None:
        self.path, self.received, self.expected = path, received, expected
        super().__init__(f"integer model, {path}: expected {expected}, received {received!r:.120}")

    def inside(self, path: str) -> "BadIntegerModel":
        """The same of a part at `path`."""
        return BadIntegerModel(f"{path}.{self.path}", self.received, self.expected)


def check(condition: object, path: str, received: object, expected: str) -> None:
    """Raises BadIntegerModel unless the condition holds."""
    if not condition:
        raise BadIntegerModel(path, received, expected)


class IntervalTooWide(VouchError):
    """A value or an accumulator of a node could reach `bound` in size, which is not below 2**62."""

    def __init__(self, node: int, op: str, bound: int) -> None:
        self.node, self.op, self.bound = node, op, bound
        super().__init__(
            f"nodes[{node}] ({op}) could reach {bound}, at least 2**{bound.bit_length() - 1}; integer models "
            "stay below 2**62: use fewer scale bits, a narrower input, or round earlier"
        )


class LookupOutOfTable(VouchError):
    """The source of a Lookup can leave its table; `low` and `high` are the source's bounds, inclusive."""

    def __init__(self, node: int, low: int, high: int, size: int) -> None:
        self.node, self.low, self.high, self.size = node, low, high, size
        super().__init__(
            f"nodes[{node}] (Lookup) takes [0, {size - 1}], its source can be anything in [{low}, {high}]: "
            "clamp the source first"
        )


class InputOutOfRange(VouchError):
    """An input value is not one the circuit takes; `index` counts the elements of the tensor `name`."""

    def __init__(self, index: int, name: str, value: int, bits: int) -> None:
        self.index, self.name, self.value, self.bits = index, name, value, bits
        half = 1 << (bits - 1)
        super().__init__(
            f"input {name!r}, element {index}: {value} is not in [{-half}, {half - 1}], the {bits} bits that "
            "the circuit takes; clip it, or compile the model for a wider input"
        )


class WrongVector(VouchError):
    """A model takes int64 arrays of one shape."""

    def __init__(self, received: str, expected: str) -> None:
        self.received, self.expected = received, expected
        super().__init__(f"received {received}; this model takes {expected}")
