from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouch.protocol.agreement import Agreement, agrees, reproducible
from vouch.protocol.codec import encode_tensors
from vouch.protocol.fixed import INT256_MAX, INT256_MIN, NotFinite
from vouch.protocol.manifest import DTYPES, Artefact, Limits, Manifest, TensorSpec

ONE = 10**18
RISK = TensorSpec("risk", "FP32", (None, 2))
LABEL = TensorSpec("label", "INT64", (None,), 0)
SURE = TensorSpec("sure", "BOOL", (1,), 0)


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big", signed=True) for value in values)


def tensors(*outputs: TensorSpec, **changes: Any) -> Manifest:
    one = TensorSpec("x", "FP32", (None, 3))
    return Manifest("m", "tensor", Artefact("echo"), Limits(1 << 20), (one,), outputs or (RISK,), **changes)


def about(tolerance: float, *outputs: TensorSpec) -> Manifest:
    return tensors(*outputs, deterministic=False, tolerance=tolerance)


def text(**changes: Any) -> Manifest:
    return Manifest("m", "text", Artefact("openai", model="m"), Limits(64), **changes)


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (tensors(), True),
        (about(0.1), True),
        (tensors(deterministic=False), False),
        (text(), True),
        (text(deterministic=False), False),
        (text(deterministic=False, tolerance=0.1), False),
    ],
)
def test_reproducible(manifest: Manifest, expected: bool) -> None:
    assert reproducible(manifest) is expected


@pytest.mark.parametrize("manifest", [tensors(), about(0.1), tensors(deterministic=False)])
def test_equal_bytes_agree(manifest: Manifest) -> None:
    assert agrees(manifest, words(1, 2), words(1, 2)) == Agreement(True, "", 0.0)


def test_text_agrees_byte_for_byte() -> None:
    for manifest in (text(), text(deterministic=False, tolerance=9.0)):
        assert agrees(manifest, b"yes", b"yes") == Agreement(True, "", None)
        found = agrees(manifest, b"yes", b"yet\xff")
        assert (found.same, found.largest) == (False, None)
        assert found.difference == "the texts differ from byte 2 on (3 bytes here, 4 there)"
    assert "from byte 3 on (3 bytes here, 4 there)" in agrees(text(), b"yes", b"yes!").difference
    assert "from byte 0 on (3 bytes here, 0 there)" in agrees(text(), b"yes", b"").difference


def test_deterministic_tensors_agree_bit_for_bit() -> None:
    found = agrees(tensors(), words(ONE // 2, ONE), words(ONE // 2, ONE + 1))
    assert (found.same, found.largest) == (False, 1e-18)
    assert found.difference.startswith("tensor 'risk', element 1: 1.0 here and 1.0 there differ by 1e-18")


def test_no_tolerance_allows_nothing() -> None:
    assert not agrees(tensors(deterministic=False), words(0, 0), words(0, 1)).same


@pytest.mark.parametrize("tolerance", [0.1, 0.3, 1e-05, 1e-18, 2.5, 1, 1000])
def test_tolerance_is_the_decimal_that_is_written_and_its_end_is_allowed(tolerance: float) -> None:
    allowed = round(tolerance * 10**5) * 10**13 if tolerance > 1e-9 else 1
    for start in (0, ONE, -ONE, 12345678901):
        for step in (allowed, -allowed):
            near = agrees(about(tolerance), words(start, 0), words(start + step, 0))
            assert (near.same, near.largest) == (True, tolerance)
            beyond = step + (1 if step > 0 else -1)
            assert not agrees(about(tolerance), words(start, 0), words(start + beyond, 0)).same


def test_tolerance_is_in_the_models_units_whatever_the_scale() -> None:
    for scale in (0, 6, 18, 36):
        manifest = about(2, TensorSpec("y", "FP64", (1,), scale))
        one = 10**scale
        assert agrees(manifest, words(one), words(3 * one)).same
        assert not agrees(manifest, words(one), words(3 * one + 1)).same


def test_tolerance_is_per_element_and_the_worst_is_named() -> None:
    ours = words(0, ONE, 2 * ONE, 3 * ONE)
    each = words(ONE // 10, ONE + ONE // 10, 2 * ONE + ONE // 10, 3 * ONE - ONE // 10)
    assert agrees(about(0.1), ours, each) == Agreement(
        True, "tensor 'risk', element 0: 0.0 here and 0.1 there differ by 0.1, allowed is 0.1", 0.1
    )
    found = agrees(about(0.1), ours, words(0, ONE, 2 * ONE + ONE // 2, 3 * ONE - ONE))
    assert found == Agreement(
        False, "tensor 'risk', element 3: 3.0 here and 2.0 there differ by 1.0, allowed is 0.1", 1.0
    )


def test_several_outputs() -> None:
    manifest = about(0.5, RISK, LABEL, SURE)
    ours = words(0, 0, ONE, ONE, 7, -8, 1)
    assert agrees(manifest, ours, words(ONE // 2, 0, ONE, ONE // 2, 7, -8, 1)).same
    found = agrees(manifest, ours, words(0, 0, ONE, 2 * ONE, 7, -8, 1))
    assert (
        found.difference == "tensor 'risk', element 3: 1.0 here and 2.0 there differ by 1.0, allowed is 0.5"
    )


@pytest.mark.parametrize(
    ("theirs", "difference"),
    [
        ((0, 0, 7, -9, 1), "tensor 'label', element 1: -8 here and -9 there differ by 1.0, allowed is 0.0"),
        ((0, 0, 7, -8, 0), "tensor 'sure', element 0: 1 here and 0 there differ by 1.0, allowed is 0.0"),
        # the larger difference is one that is allowed
        ((ONE, ONE, 7, -8, 0), "tensor 'sure', element 0: 1 here and 0 there differ by 1.0, allowed is 0.0"),
    ],
)
def test_whole_numbers_and_booleans_are_exact(theirs: tuple[int, ...], difference: str) -> None:
    manifest = about(5, TensorSpec("risk", "FP32", (None,)), LABEL, SURE)
    found = agrees(manifest, words(0, 0, 7, -8, 1), words(*theirs))
    assert (found.same, found.difference, found.largest) == (False, difference, 1.0)


@pytest.mark.parametrize(
    ("theirs", "reason"),
    [
        (b"", "received 0 words"),
        (words(1), "received 1 words"),
        (words(1, 2)[:-1], "63 bytes are not whole 32-byte words"),
        (words(1, 2, 3), "received 3 words"),
        (words(1, 2, 3, 4), "different batch sizes: 2 words of ours, 4 of theirs"),
        (words(INT256_MAX, INT256_MIN), "is not in"),
        # the bits of a NaN, and of an infinity, are just numbers far from any other
        (bytes.fromhex("7fc00000" * 8 + "7f800000" * 8), "is not in"),
    ],
)
def test_other_shapes_and_malformed_bytes(theirs: bytes, reason: str) -> None:
    for manifest in (tensors(), about(1e300)):
        found = agrees(manifest, words(1, 2), theirs)
        assert (found.same, found.largest) == (False, None)
        assert reason in found.difference


@pytest.mark.parametrize(
    ("spec", "theirs"),
    [
        (TensorSpec("b", "BOOL", (1,), 0), 2),
        (TensorSpec("b", "BOOL", (1,), 1), 5),
        (TensorSpec("n", "UINT8", (1,), 0), 256),
        (TensorSpec("n", "UINT8", (1,), 0), -1),
        (TensorSpec("n", "INT64", (1,), 18), ONE // 2),
        (TensorSpec("h", "FP16", (1,), 0), 65520),
    ],
)
def test_words_that_are_no_number_of_the_dtype(spec: TensorSpec, theirs: int) -> None:
    found = agrees(about(1e9, spec), words(0), words(theirs))
    assert not found.same
    assert found.difference.startswith("their bytes are no output of this model: ")


def test_our_own_output_may_be_malformed_too() -> None:
    found = agrees(about(1), b"short", words(1, 2))
    assert not found.same
    assert found.difference.startswith("our bytes are no output of this model: 5 bytes")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_have_no_bytes_to_agree_on(value: float) -> None:
    with pytest.raises(NotFinite):
        encode_tensors((RISK,), {"risk": [[value, 0.0]]})


specs = st.builds(
    TensorSpec,
    st.just("t"),
    st.sampled_from(list(DTYPES)),
    st.sampled_from([(None,), (2,), (None, 2), (1, 3)]),
    st.integers(0, 36),
)
manifests = st.one_of(
    st.builds(lambda spec: tensors(spec, SURE), specs),
    st.builds(lambda spec, tolerance: about(tolerance, spec), specs, st.floats(5e-324, 1.7e308)),
    st.builds(lambda flag: text(deterministic=flag), st.booleans()),
)
numbers = st.lists(
    st.one_of(st.integers(INT256_MIN, INT256_MAX), st.integers(-3, 3), st.sampled_from([ONE, 2 * ONE])),
    max_size=6,
).map(lambda values: words(*values))
anything = st.one_of(st.binary(max_size=200), numbers)


@given(manifest=manifests, ours=anything, theirs=anything)
def test_any_bytes_get_a_verdict_and_both_sides_see_the_same_one(
    manifest: Manifest, ours: bytes, theirs: bytes
) -> None:
    here, there = agrees(manifest, ours, theirs), agrees(manifest, theirs, ours)
    assert (here.same, here.largest) == (there.same, there.largest)
    assert bool(here.difference) == (ours != theirs)
    assert not here.same or ours == theirs or manifest.tolerance > 0
