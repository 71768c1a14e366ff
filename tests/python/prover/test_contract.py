from dataclasses import replace

import pytest
import pytest_asyncio

from tests.support.honk import Honk
from tests.support.zk import Small
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.protocol.keccak import keccak
from vouch.prover import contract, srs
from vouch.prover.contract import VerifierCode
from vouch.prover.errors import ContractTooLarge, ProgramFailed, UnexpectedVerifier
from vouch.prover.srs import ReferenceString
from vouch.prover.toolchain import Toolchain

PUBLIC, ADVICE = (6, 11, 12), (2, 3)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def code(small: Small) -> VerifierCode:
    return await contract.verifier(small.bb, small.vk)


@pytest.mark.slow
async def test_it_accepts_the_proof_and_nothing_else(
    small: Small, code: VerifierCode, rpc: Rpc, sender: TxSender
) -> None:
    proof = await small.bb.prove(small.program, small.witness(PUBLIC, ADVICE), small.vk)
    honk = await Honk.deploy(sender, rpc, code)
    assert await honk.accepts(proof.data, PUBLIC)
    for index in range(len(PUBLIC)):
        other = list(PUBLIC)
        other[index] += 1
        assert not await honk.accepts(proof.data, other)
    for place in (0, 700, len(proof.data) - 1):
        changed = bytearray(proof.data)
        changed[place] ^= 1
        assert not await honk.accepts(bytes(changed), PUBLIC)
    assert not await honk.accepts(proof.data[:-32], PUBLIC)
    assert not await honk.accepts(proof.data, PUBLIC[:-1])


@pytest.mark.slow
async def test_its_code_is_what_lies_on_the_chain(code: VerifierCode, rpc: Rpc, sender: TxSender) -> None:
    honk = await Honk.deploy(sender, rpc, code)
    assert await honk.code() == code.runtime
    assert code.code_hash == keccak(code.runtime)
    assert len(code.runtime) < contract.MAX_CODE
    assert (await honk.ask(keccak(b"srs()")[:4])).rstrip(b"\0") == b"dev-srs"
    assert code.srs == "dev-srs"


@pytest.mark.slow
async def test_the_flavour_that_hides_its_inputs(small: Small, rpc: Rpc, sender: TxSender) -> None:
    secret = await contract.verifier(small.bb, small.secret_vk, secret=True)
    honk = await Honk.deploy(sender, rpc, secret)
    proof = await small.bb.prove(small.program, small.witness(PUBLIC, ADVICE), small.secret_vk, secret=True)
    assert await honk.accepts(proof.data, PUBLIC)
    assert not await honk.accepts(proof.data, (6, 11, 13))
    open_proof = await small.bb.prove(small.program, small.witness(PUBLIC, ADVICE), small.vk)
    assert not await honk.accepts(open_proof.data, PUBLIC)


@pytest.mark.slow
async def test_the_same_key_gives_the_same_code(small: Small, code: VerifierCode) -> None:
    assert await contract.verifier(small.bb, small.vk) == code


@pytest.mark.slow
async def test_proofs_of_one_string_are_worth_nothing_under_another(
    small: Small, code: VerifierCode, rpc: Rpc, sender: TxSender
) -> None:
    canonical = ReferenceString(small.bb.srs.folder, srs.CANONICAL, 1, srs.g2_of(srs.CANONICAL))
    source = contract.complete(await small.bb.write_solidity(small.vk), canonical)
    other = await contract.compile_verifier(small.bb.toolchain, source, canonical.name)
    honk = await Honk.deploy(sender, rpc, other)
    assert (await honk.ask(keccak(b"srs()")[:4])).rstrip(b"\0") == b"aztec-ignition"
    assert other.code_hash != code.code_hash
    proof = await small.bb.prove(small.program, small.witness(PUBLIC, ADVICE), small.vk)
    assert not await honk.accepts(proof.data, PUBLIC)


async def test_only_what_has_to_change_is_changed(small: Small) -> None:
    source = await small.bb.write_solidity(small.vk)
    canonical = replace(small.bb.srs, kind=srs.CANONICAL, g2=srs.g2_of(srs.CANONICAL))
    before, after = source.splitlines(), contract.complete(source, canonical).splitlines()
    assert [line for line in before if line not in after] == ["pragma solidity ^0.8.27;"]
    assert [line for line in after if line not in before] == [
        "pragma solidity 0.8.37;",
        "    /// @notice The reference string that proofs have to be made with.",
        '    function srs() external pure returns (bytes32) { return "aztec-ignition"; }',
    ]


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("pragma solidity ^0.8.27;", "its pragma"),
        ("0x260e01b251f6f1c7e7ff4e580791dee8ea51d87a358e038b4efe30fac09383c1", "word 0 of tau"),
        ("0x22febda3c0c0632a56475b4214e5615e11e6dd3f96e6cea2854a87d4dacc5e55", "word 3 of tau"),
        ("contract HonkVerifier is IVerifier {", "its contract"),
    ],
)
async def test_another_verifier_than_expected_is_refused(small: Small, part: str, name: str) -> None:
    source = await small.bb.write_solidity(small.vk)
    with pytest.raises(UnexpectedVerifier, match=f"{name}.* 0 times instead of 1"):
        contract.complete(source.replace(part, "gone"), small.bb.srs)
    with pytest.raises(UnexpectedVerifier, match=f"{name}.* 2 times instead of 1"):
        contract.complete(source + part + "\n", small.bb.srs)


@pytest.mark.slow
async def test_code_that_no_chain_takes_is_refused(toolchain: Toolchain) -> None:
    # Each event has another topic: constants that no optimiser folds.
    body = "".join(f"emit E{index}(); " for index in range(700))
    events = "".join(f"event E{index}(); " for index in range(700))
    source = (
        f"pragma solidity 0.8.37; contract HonkVerifier {{ {events} function f() external {{ {body} }} }}"
    )
    with pytest.raises(ContractTooLarge, match=r"has \d+ bytes of code, a chain takes 24576"):
        await contract.compile_verifier(toolchain, source, "dev-srs")


@pytest.mark.slow
async def test_what_solc_refuses_has_its_words(toolchain: Toolchain) -> None:
    with pytest.raises(ProgramFailed, match=r"solc ended with code 0: (?s:.)*Expected"):
        await contract.compile_verifier(toolchain, "contract HonkVerifier { nonsense", "dev-srs")
