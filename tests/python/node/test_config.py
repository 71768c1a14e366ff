from pathlib import Path

import pytest

from tests.python.node.asking import KEY, OPERATOR
from tests.python.node.conftest import StartEnclave
from tests.python.runtimes.circuits import manifest_of, small_model, write
from vouch.node.config import NodeConfig
from vouch.runtimes.echo import EchoRuntime, echo_manifest
from vouch.runtimes.integer import IntegerRuntime


def test_operator_is_the_address_of_the_key() -> None:
    assert NodeConfig((), Path("journal"), KEY).operator == OPERATOR
    assert NodeConfig((), Path("journal")).operator is None


def test_secrets_are_not_shown() -> None:
    shown = repr(NodeConfig((), Path("journal"), KEY, token="secret"))
    assert "secret" not in shown
    assert "key" not in shown


def test_cosigning_needs_a_key() -> None:
    assert not NodeConfig((), Path("journal"), KEY).cosign
    assert NodeConfig((), Path("journal"), KEY, cosign=True).cosign
    with pytest.raises(ValueError, match="without a key cannot co-sign"):
        NodeConfig((), Path("journal"), cosign=True)


async def test_an_enclave_works_for_an_operator(start_enclave: StartEnclave) -> None:
    enclave = await start_enclave()
    assert NodeConfig((), Path("journal"), KEY).routes == (b"SIGN", b"QRUM")
    assert NodeConfig((), Path("journal"), KEY, enclave=enclave).routes == (b"SIGN", b"QRUM", b"ENCL")
    with pytest.raises(ValueError, match="bound to an operator"):
        NodeConfig((), Path("journal"), enclave=enclave)


def test_answers_that_can_be_proven_are_for_the_zk_route(tmp_path: Path) -> None:
    proven = IntegerRuntime(write(tmp_path, small_model()), manifest_of(small_model()))
    config = NodeConfig((("a", EchoRuntime()), ("b", proven)), Path("journal"), KEY)
    assert config.routes == (b"SIGN", b"QRUM", b"ZKUH")
    without = IntegerRuntime(tmp_path / "model.circuit", manifest_of(small_model(), zk=()))
    assert NodeConfig((("b", without),), Path("journal"), KEY).routes == (b"SIGN", b"QRUM")


def test_one_name_twice() -> None:
    models = (("a", EchoRuntime(echo_manifest("one"))), ("a", EchoRuntime(echo_manifest("two"))))
    with pytest.raises(ValueError, match="name a is served twice"):
        NodeConfig(models, Path("journal"))


def test_one_model_twice() -> None:
    with pytest.raises(ValueError, match="model id 0x"):
        NodeConfig((("a", EchoRuntime()), ("b", EchoRuntime())), Path("journal"))
