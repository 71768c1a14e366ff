"""Whether two outputs of one model for one input agree: what a co-signer and a challenger go by.

An output agrees with another run's when its bytes are equal, or, for tensors of a model that is not
deterministic, when no element differs by more than the manifest's tolerance. The words that a consumer
reads are compared, exactly: the tolerance is in the model's own units, as the manifest writes it (0.1 is a
tenth, and a difference of just that is allowed). Whole numbers and booleans are equal or they are not. NaN
and infinity are in no output: they have no word.
"""

from dataclasses import dataclass
from fractions import Fraction

from vouch.protocol.codec import WORD, batch_of, decode_tensors
from vouch.protocol.errors import VouchError
from vouch.protocol.fixed import unit
from vouch.protocol.manifest import Manifest, TensorSpec


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a comparison found.

    difference: for people: where the outputs differ most and what was allowed; empty if they are equal.
    largest: the largest difference of any element in the model's own units; None where none can be told
    (text, outputs of different sizes, bytes that are no output).
    """

    same: bool
    difference: str = ""
    largest: float | None = None


def reproducible(manifest: Manifest) -> bool:
    """Whether another honest run can tell a right output from a wrong one.

    So it is for deterministic models, and for tensors with a tolerance. Two honest outputs of any other model
    may differ without bound, so one that differs says nothing.
    """
    return manifest.deterministic or (manifest.kind == "tensor" and manifest.tolerance > 0)


def agrees(manifest: Manifest, ours: bytes, theirs: bytes) -> Agreement:
    """Compares two outputs; raises for no bytes, whoever sent them."""
    if ours == theirs:
        return Agreement(True, "", 0.0 if manifest.kind == "tensor" else None)
    if manifest.kind == "text":
        return Agreement(False, _differing_text(ours, theirs))
    for whose, output in (("our", ours), ("their", theirs)):
        try:
            decode_tensors(manifest.outputs, output)
        except VouchError as error:
            return Agreement(False, f"{whose} bytes are no output of this model: {error}")
    if len(ours) != len(theirs):
        sizes = f"{len(ours) // WORD} words of ours, {len(theirs) // WORD} of theirs"
        return Agreement(False, f"the outputs have different batch sizes: {sizes}")
    return _compare(manifest, ours, theirs)


@dataclass(frozen=True, slots=True)
class _Difference:
    """One element, and how far apart its two words are."""

    spec: TensorSpec
    index: int
    ours: int
    theirs: int
    allowed: Fraction

    @property
    def size(self) -> Fraction:
        return Fraction(abs(self.ours - self.theirs), unit(self.spec.scale))

    @property
    def too_large(self) -> bool:
        return self.size > self.allowed

    def __str__(self) -> str:
        ours, theirs = _number(self.ours, self.spec), _number(self.theirs, self.spec)
        return (
            f"tensor {self.spec.name!r}, element {self.index}: {ours} here and {theirs} there differ by "
            f"{float(self.size)!r}, allowed is {float(self.allowed)!r}"
        )


def _compare(manifest: Manifest, ours: bytes, theirs: bytes) -> Agreement:
    mine, others = _words(ours), _words(theirs)
    batch = batch_of(manifest.outputs, len(ours))
    found: list[_Difference] = []
    start = 0
    for spec in manifest.outputs:
        end = start + spec.row * (batch if spec.batched else 1)
        index = max(range(start, end), key=lambda at: abs(mine[at] - others[at]))
        found.append(_Difference(spec, index - start, mine[index], others[index], _allowed(manifest, spec)))
        start = end
    # The element that breaks the agreement most; without one, the one that differs most.
    worst = max(found, key=lambda difference: (difference.too_large, difference.size))
    return Agreement(not worst.too_large, str(worst), float(max(difference.size for difference in found)))


def _allowed(manifest: Manifest, spec: TensorSpec) -> Fraction:
    if spec.numpy.kind != "f":
        return Fraction(0)
    # From the shortest decimal, as the manifest's JSON has it: the binary 0.3 is a bit less than 0.3.
    return Fraction(repr(manifest.tolerance))


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + WORD], "big", signed=True) for at in range(0, len(data), WORD)]


def _number(word: int, spec: TensorSpec) -> str:
    return repr(word / unit(spec.scale)) if spec.numpy.kind == "f" else str(word // unit(spec.scale))


def _differing_text(ours: bytes, theirs: bytes) -> str:
    shorter = min(len(ours), len(theirs))
    at = next((i for i in range(shorter) if ours[i] != theirs[i]), shorter)
    return f"the texts differ from byte {at} on ({len(ours)} bytes here, {len(theirs)} there)"
