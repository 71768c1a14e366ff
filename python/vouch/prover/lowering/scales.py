"""How many bits and decimals the integers of a model get."""

from dataclasses import dataclass

from vouch.protocol.fixed import MAX_DECIMALS
from vouch.prover.lowering.errors import BadCalibration


@dataclass(frozen=True, slots=True)
class Scales:
    """activation: bits after the point of what an activation gives on. weight: of a weight, on such a number.

    table: log2 of the pieces of a curve's table. input_bits: of every input word, with its sign.
    input_decimals, output_decimals: of floating-point tensors; integers have none.
    """

    activation: int
    weight: int
    input_bits: int
    table: int = 7
    input_decimals: int = 6
    output_decimals: int = 6

    def __post_init__(self) -> None:
        for name, low, high in (
            ("activation", 1, 30),
            ("weight", 1, 30),
            ("input_bits", 2, 60),
            ("table", 1, 12),
            ("input_decimals", 0, MAX_DECIMALS),
            ("output_decimals", 0, MAX_DECIMALS),
        ):
            if not low <= getattr(self, name) <= high:
                raise BadCalibration(f"{name} {getattr(self, name)}", f"{low} to {high}")
