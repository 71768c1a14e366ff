// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

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

    /// @notice No such manifest was published. Publish it (`vouch model publish`) or check the id.
    error UnknownModel(bytes32 modelId);
    /// @notice This publisher gave no model that name.
    error UnknownName(address publisher, string name);
    /// @notice The manifest is empty or over the limit, in bytes.
    error BadManifestSize(uint256 size, uint256 max);
    /// @notice The name is empty or over 64 bytes.
    error BadNameSize(uint256 size, uint256 max);

    /// @notice Publishes a manifest and points the caller's `name` at it. Publishing again only moves the name.
    /// @return modelId keccak256(manifest).
    function publish(string calldata name, bytes calldata manifest) external returns (bytes32 modelId);

    /// @notice Publisher and block; reverts with UnknownModel.
    function modelOf(bytes32 modelId) external view returns (Model memory);

    /// @notice The model a publisher calls `name` now; reverts with UnknownName.
    function resolve(address publisher, string calldata name) external view returns (bytes32 modelId);

    /// @notice True if a manifest with this hash was published.
    function exists(bytes32 modelId) external view returns (bool);
}
