"""Small models, and circuit folders of them as `vouch zk compile` makes them."""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.support import zk
from tests.support.artefacts import ROOT
from vouch import circuit, prover
from vouch.circuit.codec import run_bytes, to_words
from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import Affine, Relu
from vouch.circuit.parts import Node, Port
from vouch.prover.build import build
from vouch.prover.files import CircuitFiles
from vouch.prover.lock import alone_async

Row = tuple[bytes, bytes]
KEPT = ROOT / ".build" / "circuits"


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
    """The model's circuits, over the development string."""
    return await folder_of(model(seed), path, *batches, secret=secret)


async def folder_of(made: IntegerModel, path: Path, *batches: int, secret: bool = False) -> CircuitFiles:
    """Circuits of any model. Noir takes seconds for each, so test processes share what they have built."""
    kept = KEPT / _key(made, batches, secret)
    async with alone_async(KEPT / "lock"):
        if not kept.exists():
            await built(made, kept, *batches, secret=secret)
    shutil.copytree(kept, path)
    return CircuitFiles.load(path)


async def built(made: IntegerModel, path: Path, *batches: int, secret: bool = False) -> CircuitFiles:
    """The same, and nothing that was there before."""
    return await build(
        made,
        path,
        name="small",
        srs=zk.string(),
        toolchain=zk.toolchain(),
        batches=batches or (1,),
        secret=secret,
    )


def _key(made: IntegerModel, batches: Sequence[int], secret: bool) -> str:
    """Another one for every change of whatever makes circuits."""
    sources = sorted(
        file
        for package in (prover, circuit)
        for file in Path(package.__path__[0]).rglob("*")
        if file.suffix in (".py", ".nr", ".mjs", ".json")
    )
    parts = [made.to_bytes(), repr((batches, secret)).encode(), *(file.read_bytes() for file in sources)]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:32]
