import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vouch.node.oip_tensors import InvalidTensor, OutputNotFinite, flatten, parse_tensor, render_tensor
from vouch.protocol.manifest import DTYPES, TensorSpec


def tensor(datatype: str, shape: Any, data: Any) -> dict[str, Any]:
    return {"name": "x", "datatype": datatype, "shape": shape, "data": data}


def spec(dtype: str, *shape: int | None) -> TensorSpec:
    return TensorSpec("x", dtype, shape, 0)


@given(st.sampled_from(sorted(DTYPES)), st.data())
def test_what_is_rendered_is_parsed_to_the_same_bits(dtype: str, data: st.DataObject) -> None:
    elements = {"allow_nan": False, "allow_infinity": False} if DTYPES[dtype].kind == "f" else {}
    array = data.draw(
        arrays.arrays(DTYPES[dtype], arrays.array_shapes(min_dims=2, max_dims=3), elements=elements or None)
    )
    parsed = parse_tensor(spec(dtype, None, *array.shape[1:]), render_tensor("x", dtype, array))
    assert parsed.dtype == array.dtype
    assert parsed.shape == array.shape
    assert parsed.tobytes() == array.tobytes()


def test_nested_data_is_row_major() -> None:
    array = parse_tensor(spec("INT64", None, 2), tensor("INT64", [2, 2], [[1, 2], [3, 4]]))
    assert array.tolist() == [[1, 2], [3, 4]]
    assert flatten("x", [[[1], [2]], [[3], [4]]]) == [1, 2, 3, 4]


@pytest.mark.parametrize("data", [5, "text", None, [[1], [2, 3]], [[1], 2], [1, [2]], {"a": 1}])
def test_data_that_is_no_array(data: Any) -> None:
    with pytest.raises(InvalidTensor):
        flatten("x", data)


@pytest.mark.parametrize("shape", [None, "2", [2], [2, 3], [2, 2, 1], [-1, 2], [2, "2"], [2.0, 2], [True, 2]])
def test_shapes_that_do_not_fit(shape: Any) -> None:
    with pytest.raises(InvalidTensor) as refused:
        parse_tensor(spec("INT64", None, 2), tensor("INT64", shape, [1, 2, 3, 4]))
    assert (refused.value.field, refused.value.expected) == ("shape", "[-1, 2]")


def test_datatype_that_does_not_fit() -> None:
    with pytest.raises(InvalidTensor, match="datatype is 'FP64', expected FP32"):
        parse_tensor(spec("FP32", 1), tensor("FP64", [1], [1.0]))


def test_number_of_values_that_does_not_fit() -> None:
    with pytest.raises(InvalidTensor, match="3 values, expected 4"):
        parse_tensor(spec("FP32", None, 2), tensor("FP32", [2, 2], [1, 2, 3]))


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("INT32", 2**31),
        ("INT32", 1.0),
        ("INT32", True),
        ("UINT8", -1),
        ("UINT64", 2**64),
        ("BOOL", 1),
        ("FP32", True),
        ("FP32", "1"),
        ("FP32", None),
        ("FP32", 1e39),
        ("FP32", 10**400),
        ("FP64", 10**400),
        ("FP16", 70_000),
        ("FP32", math.nan),
        ("FP64", math.inf),
    ],
)
def test_values_that_the_dtype_cannot_hold(dtype: str, value: Any) -> None:
    with pytest.raises(InvalidTensor) as refused:
        parse_tensor(spec(dtype, 2), tensor(dtype, [2], [False if dtype == "BOOL" else 1, value]))
    assert refused.value.field == "data[1]"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_outputs_that_json_cannot_hold(value: float) -> None:
    with pytest.raises(OutputNotFinite, match=r"y\[2\]"):
        render_tensor("y", "FP32", np.array([[1, 2], [value, 4]], np.float32))
