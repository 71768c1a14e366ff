"""Open Inference Protocol v2 over HTTP, on real ONNX models."""

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnxruntime as ort
import pytest

from tests.python.node.asking import Watched, body
from tests.python.node.conftest import RunNode
from tests.python.runtimes import graphs
from vouch.protocol.codec import encode_tensors
from vouch.runtimes.base import RuntimeUnavailable
from vouch.runtimes.derive import manifest_from_onnx
from vouch.runtimes.echo import EchoRuntime
from vouch.runtimes.onnx import OnnxRuntime

ROWS = np.random.default_rng(5).normal(size=(4, 3)).astype(np.float32)


def load(path: Path) -> OnnxRuntime:
    return OnnxRuntime(path, manifest_from_onnx(path, "layers"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return graphs.layers(tmp_path / "layers.onnx")


def request(rows: Any = None, **changes: Any) -> dict[str, Any]:
    rows = ROWS.tolist() if rows is None else rows
    return {"inputs": [{"name": "x", "datatype": "FP32", "shape": [len(rows), 3], "data": rows} | changes]}


async def refusal(client: httpx.AsyncClient, json: dict[str, Any], path: str = "layers") -> tuple[int, str]:
    reply = await client.post(f"/v2/models/{path}/infer", json=json)
    answer = reply.json()
    assert list(answer) == ["error"]
    assert isinstance(answer["error"], str)
    return reply.status_code, answer["error"]


async def test_output_is_bit_for_bit_that_of_onnxruntime_called_directly(
    run_node: RunNode, path: Path
) -> None:
    runtime = load(path)
    async with run_node(runtime) as client:
        reply = (await client.post("/v2/models/layers/infer", json=request() | {"id": "42"})).json()
    session = ort.InferenceSession(str(path), providers=list(runtime.providers))
    direct = session.run(["y"], {"x": ROWS})[0]
    (output,) = reply.pop("outputs")
    assert reply == {"model_name": "layers", "model_version": "1", "id": "42"}
    assert (output["name"], output["datatype"], output["shape"]) == ("y", "FP32", [4, 2])
    assert np.array(output["data"], np.float32).tobytes() == direct.tobytes()


async def test_flat_data_versions_and_chosen_outputs(run_node: RunNode, path: Path) -> None:
    runtime = load(path)
    flat = request(data=ROWS.ravel().tolist())
    async with run_node(runtime) as client:
        replies = [
            (await client.post(f"/v2/models/layers{suffix}/infer", json=sent)).json()
            for suffix, sent in (
                ("", request()),
                ("", flat),
                ("/versions/1", flat),
                (f"/versions/0x{runtime.manifest.model_id.hex()}", flat),
                ("", flat | {"outputs": [{"name": "y"}]}),
            )
        ]
        assert all(reply == replies[0] for reply in replies)
        assert (await refusal(client, flat, "layers/versions/2"))[0] == 404
        status, message = await refusal(client, flat | {"outputs": [{"name": "z"}]})
        assert (status, "'z'" in message) == (400, True)


async def test_metadata(run_node: RunNode, path: Path) -> None:
    runtime = load(path)
    async with run_node(runtime, EchoRuntime()) as client:
        server = (await client.get("/v2")).json()
        model = (await client.get("/v2/models/layers")).json()
        assert (await client.get("/v2/models/layers/versions/1")).json() == model
        text = (await client.get("/v2/models/echo")).json()
    assert (server["name"], server["extensions"]) == ("vouch", [])
    assert model == {
        "name": "layers",
        "versions": ["1"],
        "platform": "onnx",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}],
        "parameters": {"modelId": f"0x{runtime.manifest.model_id.hex()}"},
    }
    assert text["inputs"] == text["outputs"] == [{"name": "text", "datatype": "BYTES", "shape": [1]}]


async def test_health_follows_the_models(run_node: RunNode, path: Path) -> None:
    watched = Watched()
    async with run_node(load(path), watched) as client:
        assert (await client.get("/v2/health/live")).json() == {"live": True}
        assert (await client.get("/v2/health/ready")).json() == {"ready": True}
        assert (await client.get("/v2/models/watched/ready")).json() == {"name": "watched", "ready": True}
        watched.obstacle = RuntimeUnavailable("watched", "down")
        reply = await client.get("/v2/health/ready")
        assert (reply.status_code, reply.json()["ready"]) == (503, False)
        assert list(reply.json()["reasons"]) == ["watched"]
        reply = await client.get("/v2/models/watched/versions/1/ready")
        assert (reply.status_code, reply.json()["ready"]) == (503, False)
        assert (await client.get("/v2/models/layers/ready")).status_code == 200
        assert (await client.get("/v2/models/none/ready")).status_code == 404


async def test_changed_model_file_stops_every_answer_until_it_is_back(run_node: RunNode, path: Path) -> None:
    runtime = load(path)
    data = encode_tensors(runtime.manifest.inputs, {"x": ROWS[0]})
    original = graphs.read(path)
    async with run_node(runtime) as client:
        graphs.layers(path, seed=2)
        assert (await refusal(client, request()))[0] == 503
        assert (await client.get("/v2/health/ready")).status_code == 503
        sealed = await client.post("/vouch/v1/answers", json=body(data, runtime.manifest.model_id))
        error = sealed.json()["error"]
        assert (sealed.status_code, error["name"], error["retryable"]) == (503, "ArtefactChanged", True)
        assert error["details"]["expected"] == runtime.manifest.artefact.sha256
        graphs.write(path, original)
        assert (await client.get("/v2/health/ready")).status_code == 200
        assert (await client.post("/v2/models/layers/infer", json=request())).status_code == 200
        sealed = await client.post("/vouch/v1/answers", json=body(data, runtime.manifest.model_id))
        assert sealed.status_code == 200


@pytest.mark.parametrize(
    ("sent", "part"),
    [
        ({}, "inputs"),
        ({"inputs": []}, "['x']"),
        ({"inputs": [1]}, "inputs"),
        ({"inputs": request()["inputs"] * 2}, "twice"),
        (request(name="z"), "['z']"),
        (request(datatype="FP64"), "datatype"),
        (request(shape=[4, 4]), "shape"),
        (request(shape=[3, 3]), "12 values"),
        (request([[1, 2, 1e39]]), "data[2]"),
    ],
)
async def test_wrong_requests(run_node: RunNode, path: Path, sent: dict[str, Any], part: str) -> None:
    async with run_node(load(path)) as client:
        status, message = await refusal(client, sent)
    assert status == 400
    assert part in message


async def test_json_that_is_no_json(run_node: RunNode, path: Path) -> None:
    async with run_node(load(path)) as client:
        for content in (b"", b"{", b"[]", b'{"inputs": NaN}', b"\xff", b"[" * 100_000):
            reply = await client.post("/v2/models/layers/infer", content=content)
            assert (reply.status_code, list(reply.json())) == (400, ["error"])


async def test_unknown_models_paths_and_methods(run_node: RunNode, path: Path) -> None:
    async with run_node(load(path)) as client:
        assert await refusal(client, request(), "none") == (
            404,
            "model none is not served here; served: layers",
        )
        assert (await client.get("/v2/nothing")).json() == {"error": "Not Found"}
        reply = await client.get("/v2/models/layers/infer")
        assert (reply.status_code, reply.json()) == (405, {"error": "Method Not Allowed"})


@pytest.mark.parametrize("make", [graphs.exponential, graphs.logarithm])
async def test_output_that_is_no_number(run_node: RunNode, tmp_path: Path, make: Any) -> None:
    runtime = load(make(tmp_path / "model.onnx"))
    wild = [[0.5, 1000.0 if make is graphs.exponential else -1.0, 0.5]]
    data = encode_tensors(runtime.manifest.inputs, {"x": wild})
    async with run_node(runtime) as client:
        status, message = await refusal(client, request(wild))
        assert (status, "y[1]" in message) == (422, True)
        sealed = await client.post("/vouch/v1/answers", json=body(data, runtime.manifest.model_id))
    error = sealed.json()["error"]
    assert (sealed.status_code, error["name"], error["retryable"]) == (422, "NotFinite", False)
    assert (error["details"]["tensor"], error["details"]["index"]) == ("y", 1)


async def test_input_of_a_wrong_shape_gets_no_claim(run_node: RunNode, path: Path) -> None:
    runtime = load(path)
    async with run_node(runtime) as client:
        sealed = await client.post("/vouch/v1/answers", json=body(bytes(64), runtime.manifest.model_id))
    error = sealed.json()["error"]
    assert (sealed.status_code, error["name"], error["details"]["received"]) == (422, "WrongSize", 2)


async def test_text_models_take_bytes(run_node: RunNode) -> None:
    async with run_node(EchoRuntime()) as client:
        text = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["héllo"]}
        reply = (await client.post("/v2/models/echo/infer", json={"inputs": [text]})).json()
        assert reply["outputs"] == [text]
        for change in (
            {"shape": [2]},
            {"datatype": "FP32"},
            {"data": [1]},
            {"data": ["a", "b"]},
            {"name": "x"},
        ):
            assert (await refusal(client, {"inputs": [text | change]}, "echo"))[0] == 400
