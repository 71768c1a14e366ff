// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice A model as a proof system sees it: the contract that checks its proofs, and how claims become public inputs.
/// @dev Two slots; the second is read for secret weights only.
struct Circuit {
    /// Checks proofs; its runtime code holds the verifying key, and the circuit's id holds the hash of that code.
    address verifier;
    /// Inferences that one proof is about.
    uint8 batch;
    /// The weights are not in the verifying key: `commitment` is one of the public inputs.
    bool secret;
    uint32 inputCount;
    uint8 inputBits;
    uint32 outputCount;
    uint8 outputBits;
    /// Poseidon2 hash of secret weights, a field element; zero: the weights are in the verifying key.
    uint256 commitment;
}

using CircuitLib for Circuit global;

/// @title Ids of circuits, the same as `vouch.protocol.zk.Circuit`
library CircuitLib {
    /// @notice keccak256(abi.encode(hash of the verifier's code, commitment, batch, input count, input bits, output count,
    /// output bits)), with the code that is there now: an address without code, or with another one, gives another id.
    function id(Circuit memory circuit) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                circuit.verifier.codehash,
                circuit.commitment,
                circuit.batch,
                circuit.inputCount,
                circuit.inputBits,
                circuit.outputCount,
                circuit.outputBits
            )
        );
    }
}
