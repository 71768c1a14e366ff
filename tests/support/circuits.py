"""Small models, and circuit folders of them as `vouch zk compile` makes them."""

from pathlib import Path

import numpy as np

from tests.support import zk
from vouch.circuit.codec import run_bytes, to_words
from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import Affine, Relu
from vouch.circuit.parts import Node, Port
from vouch.prover.build import build
from vouch.prover.files import CircuitFiles

Row = tuple[bytes, bytes]


def model(seed: int = 1) -> IntegerModel:
    """Three inputs of 16 bits, one layer with a rounding ReLU, two outputs."""
    random = np.random.default_rng(seed)
    layer = Affine(random.integers(-99, 99, (2, 3)), random.integers(-999, 999, 2), None)
    inputs, outputs = (Port("x", "FP32", (1, 3), 3),), (Port("y", "FP32", (1, 2), 4),)
    return IntegerModel(inputs, 16, (Node(layer, (0,)), Node(Relu(4), (1,))), 2, outputs)


def row(made: IntegerModel, *values: int) -> Row:
    """Codec bytes of an input and of what the model gives for it."""
    data = to_words(np.array(values, np.int64))
    return data, run_bytes(made, data)


async def folder(path: Path, *batches: int, secret: bool = False, seed: int = 1) -> CircuitFiles:
    """The model's circuits, over the development string; Noir takes seconds for each."""
    made = await build(
        model(seed),
        path,
        name="small",
        srs=zk.string(),
        toolchain=zk.toolchain(),
        batches=batches or (1,),
        secret=secret,
    )
    return CircuitFiles.load(made.folder)
