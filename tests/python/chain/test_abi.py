from collections.abc import Iterable
from pathlib import Path

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from vouch.chain.abi import BadAbiData, UnknownAbi, artefact, decode_error, event, function, names
from vouch.chain.hexes import checksum
from vouch.chain.hints import HINTS
from vouch.protocol.keccak import keccak
from vouch.protocol.request import REQUEST_TYPE

A, B = checksum("0x" + "aa" * 20), checksum("0x" + "bb" * 20)
TEST_CONTRACTS = {path.stem for path in Path("contracts/test").glob("*.sol")}


def selector(signature: str) -> bytes:
    return keccak(signature.encode())[:4]


def errors_of(contracts: Iterable[str]) -> set[str]:
    return {m["name"] for name in contracts for m in artefact(name).abi if m["type"] == "error"}


def test_artefacts_have_code_and_interfaces_have_none() -> None:
    assert {"InferenceHub", "NodeRegistry", "ModelRegistry", "VerifierRouter", "SignatureVerifier"} <= set(
        names()
    )
    assert len(artefact("InferenceHub").bytecode) > 1000
    with pytest.raises(BadAbiData, match="interface has no bytecode"):
        artefact("IInferenceHub").creation()


def test_creation_data_ends_with_the_arguments() -> None:
    router = artefact("VerifierRouter")
    assert router.creation(A) == router.bytecode + encode(["address"], [A])
    assert artefact("ModelRegistry").creation() == artefact("ModelRegistry").bytecode
    with pytest.raises(BadAbiData, match="takes 1 arguments, not 0"):
        router.creation()


def test_unknown_names_say_what_there_is() -> None:
    with pytest.raises(UnknownAbi, match="InferenceHub"):
        artefact("Hub")
    with pytest.raises(UnknownAbi, match="statusOf"):
        function("InferenceHub", "status_of")
    with pytest.raises(UnknownAbi, match="Settled"):
        event("InferenceHub", "Done")


def test_codecs_are_built_once() -> None:
    assert function("InferenceHub", "fulfil") is function("InferenceHub", "fulfil")
    assert event("InferenceHub", "Requested") is event("InferenceHub", "Requested")


def test_function_round_trip_with_checksummed_addresses() -> None:
    fulfil = function("InferenceHub", "fulfil")
    request = (A, B, A, B, 1, 2, 3, 4, 5, 6, 7, 1, b"SIGN", bytes(32), bytes(32), bytes(32), 8)
    args = (request, A, b"out", b"seal")
    data = fulfil.encode(args)
    assert data[:4] == selector(f"fulfil({REQUEST_TYPE},address,bytes,bytes)")
    assert data[4:] == encode([REQUEST_TYPE, "address", "bytes", "bytes"], args)
    decoded = fulfil.decode_input(data)
    assert decoded == (request, A, b"out", b"seal")
    with pytest.raises(BadAbiData, match="another function"):
        function("InferenceHub", "expire").decode_input(data)


def test_nested_addresses_in_lists_of_tuples() -> None:
    many = function("InferenceHub", "fulfilMany")
    request = (A, B, A, B, 1, 2, 3, 4, 5, 6, 7, 1, b"SIGN", bytes(32), bytes(32), bytes(32), 8)
    items = ((request, B, b"x", b"y"), (request, A, b"", b""))
    assert many.decode_input(many.encode([items])) == (items,)


@pytest.mark.parametrize("args", [(), (1,), ("text",), (None,), (b"x" * 33,), (b"x" * 32, 1)])
def test_arguments_that_do_not_fit(args: tuple[object, ...]) -> None:
    with pytest.raises(BadAbiData, match=r"InferenceHub\.statusOf"):
        function("InferenceHub", "statusOf").encode(args)


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_raise_bad_abi_data(data: bytes) -> None:
    for name in ("nodeOf", "priceOf", "stakeOf"):
        codec = function("NodeRegistry", name)
        try:
            values = codec.decode(data)
        except BadAbiData:
            continue
        assert codec.outputs.encode(values) is not None


@given(st.binary(max_size=200))
def test_any_bytes_make_a_contract_error(data: bytes) -> None:
    assert str(decode_error(data))


@pytest.mark.parametrize(
    ("data", "name", "args", "text"),
    [
        (b"", "", {}, "reverted without a reason: out of gas"),
        (
            selector("Error(string)") + encode(["string"], ["no"]),
            "Error",
            {"reason": "no"},
            "Error(reason=no)",
        ),
        (selector("Panic(uint256)") + encode(["uint256"], [0x11]), "Panic", {"code": 17}, "overflow"),
        (
            selector("WrongRoute(bytes4,bytes4)") + encode(["bytes4", "bytes4"], [b"ZK01", b"SIGN"]),
            "WrongRoute",
            {"received": b"ZK01", "expected": b"SIGN"},
            "received='ZK01', expected='SIGN'): the seal belongs to another route",
        ),
        (b"\x01\x02\x03\x04rest", "0x01020304", {"data": b"rest"}, "another contract"),
        (b"\x01", "0x01", {"data": b""}, "another contract"),
        (selector("Error(string)") + b"\xff" * 32, "0x08c379a0", {"data": b"\xff" * 32}, "a malformed Error"),
    ],
)
def test_errors_by_name(data: bytes, name: str, args: dict[str, object], text: str) -> None:
    error = decode_error(data)
    assert (error.name, dict(error.args), error.data) == (name, args, data)
    assert text in str(error)


def test_every_error_of_every_contract_has_a_hint_and_no_hint_is_left_over() -> None:
    assert errors_of(set(names()) - TEST_CONTRACTS) <= set(HINTS)
    assert set(HINTS) <= errors_of(names())
