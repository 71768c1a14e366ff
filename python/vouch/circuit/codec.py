"""Codec words in, codec words out (`vouch.protocol.codec`): what a node and a prover answer with."""

import numpy as np

from vouch.circuit.model import IntegerModel
from vouch.protocol.codec import WORD, NotWholeWords, WrongSize

_LIMBS = WORD // 8


def run_bytes(model: IntegerModel, data: bytes) -> bytes:
    """The model's output words for its input words, both in the manifest's order.

    Raises NotWholeWords, WrongSize, InputOutOfRange.
    """
    return to_words(model.run(read_words(model, data)))


def read_words(model: IntegerModel, data: bytes) -> np.ndarray:
    """Value 0 from input words, int64 [n_in]. Raises NotWholeWords, WrongSize, InputOutOfRange."""
    count, rest = divmod(len(data), WORD)
    if rest:
        raise NotWholeWords(len(data))
    if count != model.input_size:
        raise WrongSize(count, model.input_size, 0)
    limbs = np.frombuffer(data, ">i8").reshape(count, _LIMBS).astype(np.int64)
    values = limbs[:, -1]
    wide = (limbs[:, :-1] != (values >> 63)[:, np.newaxis]).any(1)
    if wide.any():
        index = int(wide.argmax())
        word = data[index * WORD : (index + 1) * WORD]
        raise model.out_of_range(index, int.from_bytes(word, "big", signed=True))
    return values


def to_words(values: np.ndarray) -> bytes:
    """Words of int64 [n]."""
    limbs = np.empty((len(values), _LIMBS), ">i8")
    limbs[:, :-1] = (values >> 63)[:, np.newaxis]
    limbs[:, -1] = values
    return limbs.tobytes()
