// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Circuit} from "../types/Circuit.sol";

/// @title Models by content
/// @notice A model id is the keccak256 of a manifest: canonical JSON with the artefact's SHA-256, the codec and the
/// tensor names, shapes and scales (see `vouch.protocol.manifest`). Nobody owns an id; names belong to their publisher.
interface IModelRegistry {
    struct Model {
        /// Who published the manifest first.
        address publisher;
        /// Block of the Published event that carries the manifest.
        uint64 publishedAt;
    }

    event Published(bytes32 indexed modelId, address indexed publisher, string name, bytes manifest);
    event CircuitBound(bytes32 indexed modelId, bytes32 indexed circuitId, address verifier);

    /// @notice No such manifest was published. Publish it (`vouch model publish`) or check the id.
    error UnknownModel(bytes32 modelId);
    /// @notice This publisher gave no model that name.
    error UnknownName(address publisher, string name);
    /// @notice The manifest is empty or over the limit, in bytes.
    error BadManifestSize(uint256 size, uint256 max);
    /// @notice The name is empty or over 64 bytes.
    error BadNameSize(uint256 size, uint256 max);

    /// @notice The manifest names other circuits than these, or none: its last field is "zk", the ids' hex digits.
    error WrongCircuits(bytes32 modelId);
    /// @notice A circuit with this verifier and these figures has an id that the manifest does not name. Deploy exactly the
    /// code that was compiled for the model.
    error UnknownCircuit(bytes32 modelId, bytes32 circuitId);
    /// @notice A circuit has values of 1 to 64 bits, at least one inference, and a commitment below the order of the field
    /// if its weights are secret, else none.
    error BadCircuit(bytes32 modelId);

    /// @notice Publishes a manifest and points the caller's `name` at it. Publishing again only moves the name.
    /// @return modelId keccak256(manifest).
    function publish(string calldata name, bytes calldata manifest) external returns (bytes32 modelId);

    /// @notice Publisher and block; reverts with UnknownModel.
    function modelOf(bytes32 modelId) external view returns (Model memory);

    /// @notice The model a publisher calls `name` now; reverts with UnknownName.
    function resolve(address publisher, string calldata name) external view returns (bytes32 modelId);

    /// @notice Says which contract checks proofs of a model. Anyone may call: the model id is the hash of the manifest, the
    /// manifest names its circuits' ids, and an id is the hash of the verifier's code and of all figures. A circuit whose
    /// verifier still has that code stays as it is.
    /// @param manifest As it was published.
    /// @param ids All circuits that the manifest names, in its order.
    /// @return circuitId What a request names as its trust.
    function bindCircuit(bytes calldata manifest, bytes32[] calldata ids, Circuit calldata circuit)
        external
        returns (bytes32 circuitId);

    /// @notice A circuit of a model; reverts with UnknownCircuit. The verifier's code may have changed since it was bound:
    /// compare `CircuitLib.id`.
    function circuitOf(bytes32 modelId, bytes32 circuitId) external view returns (Circuit memory);

    /// @notice True if a manifest with this hash was published.
    function exists(bytes32 modelId) external view returns (bool);
}
