// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IModelRegistry} from "./interfaces/IModelRegistry.sol";

/// @title Vouch model registry
/// @dev Manifests live in event data; state keeps the block that carries them.
contract ModelRegistry is IModelRegistry {
    uint256 public constant MAX_MANIFEST = 16_384;
    uint256 public constant MAX_NAME = 64;

    mapping(bytes32 modelId => Model) private _models;
    mapping(address publisher => mapping(bytes32 nameHash => bytes32 modelId)) private _names;

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
}
