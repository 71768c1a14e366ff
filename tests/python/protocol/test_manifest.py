import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouch.protocol.keccak import keccak
from vouch.protocol.manifest import DTYPES, Artefact, BadManifest, Limits, Manifest, TensorSpec

RISK = Manifest(
    name="risk",
    kind="tensor",
    artefact=Artefact("onnx", "ab" * 32, 2366),
    limits=Limits(2048),
    inputs=(TensorSpec("x", "FP32", (None, 5)),),
    outputs=(TensorSpec("risk", "FP32", (None, 1)),),
)
CHAT = Manifest(
    name="chat",
    kind="text",
    artefact=Artefact("openai", model="tiny-llama"),
    limits=Limits(512),
    parameters={"temperature": 0, "max_tokens": 64, "seed": 7, "top_p": 0.95},
    prompt="messages",
    deterministic=False,
)
# Written out by hand: the id of a published model must never change with the code.
RISK_BYTES = (
    b'{"artefact":{"format":"onnx","sha256":"' + b"ab" * 32 + b'","size":2366},"deterministic":true,'
    b'"inputs":[{"dtype":"FP32","name":"x","scale":18,"shape":[-1,5]}],"kind":"tensor","limits":{"maxOutput":2048},'
    b'"name":"risk","outputs":[{"dtype":"FP32","name":"risk","scale":18,"shape":[-1,1]}],"parameters":{},'
    b'"tolerance":0,"vouch":1}'
)
CHAT_BYTES = (
    b'{"artefact":{"format":"openai","model":"tiny-llama"},"deterministic":false,"kind":"text",'
    b'"limits":{"maxOutput":512},"name":"chat","parameters":{"max_tokens":64,"seed":7,"temperature":0,"top_p":0.95},'
    b'"prompt":"messages","tolerance":0,"vouch":1}'
)

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
specs = st.builds(
    TensorSpec,
    name=names,
    dtype=st.sampled_from(sorted(DTYPES)),
    shape=st.lists(st.integers(1, 9), max_size=3).flatmap(
        lambda fixed: st.sampled_from([tuple(fixed), (None, *fixed), (*fixed, None)])
    ),
    scale=st.integers(0, 36),
)
tensors = st.lists(specs, min_size=1, max_size=4, unique_by=lambda spec: spec.name).map(tuple)


@pytest.mark.parametrize(("manifest", "data"), [(RISK, RISK_BYTES), (CHAT, CHAT_BYTES)])
def test_bytes_and_id(manifest: Manifest, data: bytes) -> None:
    assert bytes(manifest) == data
    assert manifest.model_id == keccak(data)
    assert Manifest.parse(data) == manifest


@given(name=names, inputs=tensors, outputs=tensors, limit=st.integers(1, 2**32), tolerance=st.floats(0, 1))
def test_parse_undoes_bytes(
    name: str,
    inputs: tuple[TensorSpec, ...],
    outputs: tuple[TensorSpec, ...],
    limit: int,
    tolerance: float,
) -> None:
    made = replace(
        RISK,
        name=name,
        inputs=inputs,
        outputs=outputs,
        limits=Limits(limit),
        deterministic=tolerance == 0,
        tolerance=tolerance,
    )
    assert Manifest.parse(bytes(made)) == made


def set_at(data: bytes, path: str, value: Any) -> bytes:
    """The manifest with one field changed, still canonical; value DELETE removes it."""
    made = json.loads(data)
    inner = made
    *parents, last = [int(p) if p.isdigit() else p for p in path.split("/")]
    for part in parents:
        inner = inner[part]
    if value is DELETE:
        del inner[last]
    else:
        inner[last] = value
    return json.dumps(made, sort_keys=True, separators=(",", ":")).encode()


DELETE = object()


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("vouch", 2, "vouch"),
        ("vouch", True, "vouch"),
        ("name", "", "name"),
        ("name", "n" * 65, "name"),
        ("name", 7, "name"),
        ("name", DELETE, "name"),
        ("kind", "image", "kind"),
        ("extra", 1, "extra"),
        ("prompt", "text", "prompt"),
        ("inputs", DELETE, "inputs"),
        ("inputs", [], "inputs"),
        ("outputs", {}, "outputs"),
        ("outputs/0", "x", "outputs[0]"),
        ("outputs/0/dtype", "FP8", "outputs[0].dtype"),
        ("outputs/0/shape", [-1, -1], "outputs[0].shape"),
        ("outputs/0/shape", [0], "outputs[0].shape"),
        ("outputs/0/shape", [-2], "outputs[0].shape"),
        ("outputs/0/shape", [True], "outputs[0].shape"),
        ("outputs/0/shape", [None], "outputs[0].shape"),
        ("outputs/0/scale", 37, "outputs[0].scale"),
        ("outputs/0/scale", DELETE, "outputs[0].scale"),
        ("outputs/0/more", 1, "outputs[0].more"),
        ("artefact/sha256", "AB" * 32, "artefact.sha256"),
        ("artefact/sha256", DELETE, "artefact.size"),
        ("artefact/size", 0, "artefact.size"),
        ("artefact/size", "1", "artefact.size"),
        ("artefact/format", "", "artefact.format"),
        ("artefact/url", "x", "artefact.url"),
        ("limits/maxOutput", 0, "limits.maxOutput"),
        ("limits/maxOutput", 1.5, "limits.maxOutput"),
        ("parameters", [], "parameters"),
        ("deterministic", 1, "deterministic"),
        ("tolerance", 0.5, "tolerance"),
        ("tolerance", "0", "tolerance"),
        ("tolerance", -1, "tolerance"),
    ],
)
def test_strict(path: str, value: Any, named: str) -> None:
    data = set_at(RISK_BYTES, path, value)
    with pytest.raises(BadManifest) as caught:
        Manifest.parse(data)
    assert caught.value.path == named


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"a":NaN}',
        RISK_BYTES + b"\n",
        RISK_BYTES.replace(b'"tolerance":0', b'"tolerance": 0'),
        RISK_BYTES.replace(b'"tolerance":0', b'"tolerance":0.0'),
        RISK_BYTES.replace(b'"name":"x"', b'"name":"\\u0078"'),
        RISK_BYTES.replace(b'"vouch":1', b'"vouch":1,"vouch":1'),
        RISK_BYTES.replace(b'"parameters":{},', b"").replace(b'"inputs"', b'"parameters":{},"inputs"'),
    ],
)
def test_one_manifest_has_one_form(data: bytes) -> None:
    with pytest.raises(BadManifest) as caught:
        Manifest.parse(data)
    assert caught.value.path == "(root)"


def test_size_limit() -> None:
    with pytest.raises(BadManifest, match="at most 16384 bytes"):
        bytes(replace(CHAT, parameters={"system": "x" * 17_000}))
    with pytest.raises(BadManifest, match="at most 16384 bytes"):
        Manifest.parse(b" " * 16_385)


def test_kinds() -> None:
    with pytest.raises(BadManifest, match="tensors for kind tensor"):
        replace(CHAT, inputs=RISK.inputs)
    with pytest.raises(BadManifest, match="the model's name on the server"):
        Artefact("openai")
    with pytest.raises(BadManifest, match="the SHA-256 of the ONNX file"):
        Artefact("onnx")
    with pytest.raises(BadManifest, match="distinct names"):
        replace(RISK, inputs=RISK.inputs * 2)


def test_every_field_counts_for_the_id() -> None:
    variants = [
        RISK,
        CHAT,
        replace(RISK, name="risk2"),
        replace(RISK, artefact=Artefact("onnx", "cd" * 32, 2366)),
        replace(RISK, limits=Limits(2049)),
        replace(RISK, inputs=(TensorSpec("x", "FP32", (None, 5), 6),)),
        replace(RISK, deterministic=False),
        replace(RISK, deterministic=False, tolerance=1e-6),
        replace(CHAT, prompt="text"),
        replace(CHAT, parameters={}),
    ]
    assert len({manifest.model_id for manifest in variants}) == len(variants)
