// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title The cheat codes of Forge that the tests use
/// @dev Written by hand: the package that npm calls forge-std is somebody else's.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function addr(uint256 privateKey) external pure returns (address);
    function assume(bool condition) external pure;
    function chainId(uint256 newChainId) external;
    function deal(address account, uint256 newBalance) external;
    function deployCode(string calldata artefact) external returns (address);
    function deployCode(string calldata artefact, bytes calldata arguments) external returns (address);
    function etch(address account, bytes calldata code) external;
    function expectRevert() external;
    function expectRevert(bytes calldata revertData) external;
    function expectRevert(bytes4 selector) external;
    function expectPartialRevert(bytes4 selector) external;
    function getRecordedLogs() external returns (Log[] memory);
    function load(address target, bytes32 slot) external view returns (bytes32);
    function pauseGasMetering() external;
    function prank(address sender) external;
    function recordLogs() external;
    function resumeGasMetering() external;
    function roll(uint256 newHeight) external;
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function warp(uint256 newTimestamp) external;
}
