// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {IVerifier} from "../interfaces/IVerifier.sol";
import {PackedValues} from "../libraries/PackedValues.sol";
import {Circuit} from "../types/Circuit.sol";
import {Claim, ClaimLib} from "../types/Claim.sol";
import {ClaimDomain} from "./ClaimDomain.sol";

/// @title A zero-knowledge proof that the model gives this output for this input
/// @notice Assurance "Proven": nobody has to be trusted, only the circuit that the consumer named.
///
/// Trust: the id of a circuit that the model registry has for the claim's model (see `CircuitLib`).
///
/// Seal: 4 bytes route, the packed inputs, the packed outputs (32 bytes for each element, see `PackedValues`), the proof.
///
/// Public inputs: the packed inputs and outputs, which have to hash to the claim's; the commitment to secret weights if
/// there is one; and the claim's digest modulo the order of the field, so that no proof is good for another claim. All of
/// them are made here, and none comes from the prover.
///
/// A root for `BatchVerifier`, Claim(0, BATCH, 0, root, operator), is sealed with a circuit for several inferences: 4 bytes
/// route, the model's id, the request ids, then packed inputs and outputs inference by inference, then the proof. The
/// inferences are in the order of the tree's leaves.
contract ZkVerifier is IVerifier, ClaimDomain {
    /// @notice The "model" of the claim that seals a root, as in `BatchVerifier`.
    bytes32 public constant BATCH = keccak256("vouch.batch.v1");
    /// @notice Order of BN254's scalar field (EIP-197).
    uint256 public constant FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

    /// @notice Knows the models' circuits.
    IModelRegistry public immutable MODELS;

    /// @notice The verifier's code is gone or another one: bind the circuit anew (`IModelRegistry.bindCircuit`).
    error VerifierChanged(address verifier, bytes32 received, bytes32 expected);
    /// @notice The circuit proves so many inferences at once, the claim is about one (or the root of at least two).
    error WrongBatch(uint256 received, uint256 expected);
    /// @notice The seal is shorter than the circuit's public inputs, in bytes.
    error NotAZkSeal(uint256 length, uint256 least);
    /// @notice The packed inputs are not those of the claim.
    error InputMismatch(bytes32 received, bytes32 expected);
    /// @notice The packed outputs are not those of the claim.
    error OutputMismatch(bytes32 received, bytes32 expected);
    /// @notice The inferences make another tree than the claim's.
    error RootMismatch(bytes32 received, bytes32 expected);
    /// @notice The proof proves nothing, or something else.
    error ProofRejected(address verifier);

    constructor(IInferenceHub hub) ClaimDomain(address(hub)) {
        MODELS = hub.MODELS();
    }

    /// @inheritdoc IVerifier
    function verify(bytes calldata seal, bytes32 trust, Claim calldata claim) external view {
        if (claim.modelId == BATCH && claim.requestId == 0) return _verifyRoot(seal, trust, claim);

        Circuit memory circuit = _circuit(claim.modelId, trust);
        if (circuit.batch != 1) revert WrongBatch(1, circuit.batch);
        bytes calldata packed = _packed(seal, circuit, 4);
        uint256 from;
        assembly ("memory-safe") {
            from := packed.offset
        }
        (bytes32 inputHash, bytes32 outputHash) = _hashes(from, circuit);
        if (inputHash != claim.inputHash) revert InputMismatch(inputHash, claim.inputHash);
        if (outputHash != claim.outputHash) revert OutputMismatch(outputHash, claim.outputHash);
        _prove(circuit, packed, seal[4 + packed.length:], _digest(claim));
    }

    function _verifyRoot(bytes calldata seal, bytes32 trust, Claim calldata claim) private view {
        if (seal.length < 36) revert NotAZkSeal(seal.length, 36);
        bytes32 modelId = bytes32(seal[4:36]);
        Circuit memory circuit = _circuit(modelId, trust);
        if (circuit.batch == 1) revert WrongBatch(2, circuit.batch);
        uint256 header = 36 + 32 * uint256(circuit.batch);
        bytes calldata packed = _packed(seal, circuit, header);
        bytes32 root = _root(seal[36:header], packed, circuit, modelId, claim.operator);
        if (root != claim.outputHash) revert RootMismatch(root, claim.outputHash);
        _prove(circuit, packed, seal[header + packed.length:], _digest(claim));
    }

    function _circuit(bytes32 modelId, bytes32 trust) private view returns (Circuit memory circuit) {
        circuit = MODELS.circuitOf(modelId, trust);
        bytes32 now_ = circuit.id();
        if (now_ != trust) revert VerifierChanged(circuit.verifier, now_, trust);
    }

    /// @dev The packed inputs and outputs of all inferences, which begin at `header`.
    function _packed(bytes calldata seal, Circuit memory circuit, uint256 header)
        private
        pure
        returns (bytes calldata)
    {
        uint256 each = PackedValues.elements(circuit.inputCount, circuit.inputBits)
            + PackedValues.elements(circuit.outputCount, circuit.outputBits);
        uint256 end = header + 32 * each * circuit.batch;
        if (seal.length < end) revert NotAZkSeal(seal.length, end);
        return seal[header:end];
    }

    /// @dev Hashes of the tensor bytes of one inference, whose packed values begin at `from` in the calldata.
    function _hashes(uint256 from, Circuit memory circuit) private pure returns (bytes32 input, bytes32 output) {
        input = PackedValues.hash(from, circuit.inputCount, circuit.inputBits);
        from += 32 * PackedValues.elements(circuit.inputCount, circuit.inputBits);
        output = PackedValues.hash(from, circuit.outputCount, circuit.outputBits);
    }

    /// @dev Root of the standard tree over the inferences' claims (see `vouch.protocol.merkle`), the nodes in a heap.
    function _root(bytes calldata ids, bytes calldata packed, Circuit memory circuit, bytes32 modelId, address operator)
        private
        view
        returns (bytes32)
    {
        uint256 n = circuit.batch;
        uint256 size = packed.length / n;
        uint256 from;
        assembly ("memory-safe") {
            from := packed.offset
        }
        bytes32[] memory nodes = new bytes32[](2 * n - 1);
        bytes32 domain = _domain();
        for (uint256 i; i < n; ++i) {
            (bytes32 input, bytes32 output) = _hashes(from, circuit);
            bytes32 requestId;
            assembly ("memory-safe") {
                requestId := calldataload(add(ids.offset, shl(5, i)))
            }
            bytes32 digest = ClaimLib.digest(requestId, modelId, input, output, operator, domain);
            assembly ("memory-safe") {
                mstore(0x00, digest)
                mstore(0x00, keccak256(0x00, 0x20))
                mstore(add(nodes, shl(5, add(n, i))), keccak256(0x00, 0x20))
            }
            from += size;
        }
        for (uint256 i = n - 1; i > 0; --i) {
            assembly ("memory-safe") {
                // The children of node i - 1 are nodes 2 i - 1 and 2 i; the smaller one is hashed first.
                let children := add(nodes, shl(6, i))
                let left := mload(children)
                let right := mload(add(children, 0x20))
                let less := gt(right, left)
                mstore(shl(5, iszero(less)), left)
                mstore(shl(5, less), right)
                mstore(add(nodes, shl(5, i)), keccak256(0x00, 0x40))
            }
        }
        return nodes[0];
    }

    function _prove(Circuit memory circuit, bytes calldata packed, bytes calldata proof, bytes32 digest) private view {
        uint256 elements = packed.length / 32;
        bytes32[] memory inputs = new bytes32[](elements + (circuit.secret ? 2 : 1));
        assembly ("memory-safe") {
            calldatacopy(add(inputs, 0x20), packed.offset, packed.length)
        }
        if (circuit.secret) inputs[elements] = bytes32(circuit.commitment);
        inputs[inputs.length - 1] = bytes32(uint256(digest) % FIELD);
        if (!IProofVerifier(circuit.verifier).verify(proof, inputs)) revert ProofRejected(circuit.verifier);
    }
}
