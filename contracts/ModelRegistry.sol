// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {ManifestTail} from "./libraries/ManifestTail.sol";
import {Circuit} from "./types/Circuit.sol";

/// @title Vouch model registry
/// @dev Manifests live in event data; state keeps the block that carries them.
contract ModelRegistry is IModelRegistry {
    uint256 public constant MAX_MANIFEST = 16_384;
    uint256 public constant MAX_NAME = 64;

    mapping(bytes32 modelId => Model) private _models;
    mapping(address publisher => mapping(bytes32 nameHash => bytes32 modelId)) private _names;
    mapping(bytes32 modelId => mapping(bytes32 circuitId => Circuit)) private _circuits;

    uint256 private constant _MAX_BITS = 64;
    uint256 private constant _FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

    /// @inheritdoc IModelRegistry
    function publish(string calldata name, bytes calldata manifest) external returns (bytes32 modelId) {
        uint256 nameSize = bytes(name).length;
        if (nameSize == 0 || nameSize > MAX_NAME) revert BadNameSize(nameSize, MAX_NAME);
        if (manifest.length == 0 || manifest.length > MAX_MANIFEST) {
            revert BadManifestSize(manifest.length, MAX_MANIFEST);
        }

        modelId = keccak256(manifest);
        if (_models[modelId].publisher == address(0)) _models[modelId] = Model(msg.sender, uint64(block.number));
        _names[msg.sender][keccak256(bytes(name))] = modelId;
        emit Published(modelId, msg.sender, name, manifest);
    }

    /// @inheritdoc IModelRegistry
    function bindCircuit(bytes calldata manifest, bytes32[] calldata ids, Circuit calldata circuit)
        external
        returns (bytes32 circuitId)
    {
        bytes32 modelId = keccak256(manifest);
        if (_models[modelId].publisher == address(0)) revert UnknownModel(modelId);
        if (!ManifestTail.names(manifest, ids)) revert WrongCircuits(modelId);
        if (!_isSound(circuit)) revert BadCircuit(modelId);
        circuitId = circuit.id();
        bool named;
        for (uint256 i; i < ids.length; ++i) {
            if (ids[i] == circuitId) named = true;
        }
        if (!named) revert UnknownCircuit(modelId, circuitId);
        Circuit storage bound = _circuits[modelId][circuitId];
        if (bound.verifier != address(0) && bound.id() == circuitId) return circuitId;

        _circuits[modelId][circuitId] = circuit;
        emit CircuitBound(modelId, circuitId, circuit.verifier);
    }

    /// @inheritdoc IModelRegistry
    function circuitOf(bytes32 modelId, bytes32 circuitId) external view returns (Circuit memory circuit) {
        Circuit storage bound = _circuits[modelId][circuitId];
        circuit.verifier = bound.verifier;
        if (circuit.verifier == address(0)) revert UnknownCircuit(modelId, circuitId);
        circuit.batch = bound.batch;
        circuit.secret = bound.secret;
        circuit.inputCount = bound.inputCount;
        circuit.inputBits = bound.inputBits;
        circuit.outputCount = bound.outputCount;
        circuit.outputBits = bound.outputBits;
        if (circuit.secret) circuit.commitment = bound.commitment;
    }

    /// @inheritdoc IModelRegistry
    function modelOf(bytes32 modelId) external view returns (Model memory model) {
        model = _models[modelId];
        if (model.publisher == address(0)) revert UnknownModel(modelId);
    }

    /// @inheritdoc IModelRegistry
    function resolve(address publisher, string calldata name) external view returns (bytes32 modelId) {
        modelId = _names[publisher][keccak256(bytes(name))];
        if (modelId == 0) revert UnknownName(publisher, name);
    }

    /// @inheritdoc IModelRegistry
    function exists(bytes32 modelId) external view returns (bool) {
        return _models[modelId].publisher != address(0);
    }

    function _isSound(Circuit calldata circuit) private pure returns (bool) {
        return circuit.batch != 0 && circuit.inputCount != 0 && circuit.outputCount != 0 && circuit.inputBits != 0
            && circuit.outputBits != 0 && circuit.inputBits <= _MAX_BITS && circuit.outputBits <= _MAX_BITS
            && circuit.commitment < _FIELD && circuit.secret == (circuit.commitment != 0);
    }
}
