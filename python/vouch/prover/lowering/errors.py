"""What can be in the way of turning an ONNX file into an integer model."""

from vouch.protocol.errors import VouchError


class BadOnnxFile(VouchError):
    """The file cannot be read or run as an ONNX model."""

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(f"{name} cannot be used as an ONNX model: {reason}")


class UnsupportedTensor(VouchError):
    """An input or output of the graph has no integer form."""

    def __init__(self, tensor: str, received: str, advice: str) -> None:
        self.tensor, self.received, self.advice = tensor, received, advice
        super().__init__(f"tensor {tensor!r} is {received}; {advice}")


class UnsupportedNode(VouchError):
    """A node of the graph has no integer form; `name` says what it makes if it has none."""

    def __init__(self, name: str, op_type: str, reason: str) -> None:
        self.name, self.op_type, self.reason = name, op_type, reason
        super().__init__(f"node {name!r} ({op_type}): {reason}")


class BadCalibration(VouchError):
    """The rows given to calibrate with do not fit the model."""

    def __init__(self, received: str, expected: str) -> None:
        self.received, self.expected = received, expected
        super().__init__(f"calibration data: received {received}, expected {expected}")


class NotAccurateEnough(VouchError):
    """No scales within the limits reach the error asked for; `best` is the smallest error seen, if any."""

    def __init__(self, max_error: float, best: float | None, reason: str) -> None:
        self.max_error, self.best, self.reason = max_error, best, reason
        seen = "none could be tried" if best is None else f"the best has {best:.3g}"
        super().__init__(
            f"no scales keep the error within {max_error:g} ({seen}): {reason}, or allow a larger error"
        )


class TooWide(VouchError):
    """The integers of a node could grow to `bound` in size; `node` is its name."""

    def __init__(self, node: str, bound: int) -> None:
        self.node, self.bound = node, bound
        super().__init__(
            f"the integers of node {node!r} could reach {bound:.3g}, the limit is 2**62: give fewer input "
            "decimals, or scale the inputs to about [-1, 1] before the model"
        )
