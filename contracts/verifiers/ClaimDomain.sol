// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Claim, ClaimLib} from "../types/Claim.sol";

/// @title The EIP-712 domain of one hub's claims, for verifiers that need their digest
abstract contract ClaimDomain {
    /// @notice The hub whose claims are checked.
    address public immutable HUB;

    uint256 private immutable _CHAIN_ID;
    bytes32 private immutable _DOMAIN;

    constructor(address hub) {
        HUB = hub;
        _CHAIN_ID = block.chainid;
        _DOMAIN = ClaimLib.domainSeparator(hub);
    }

    function _digest(Claim calldata claim) internal view returns (bytes32) {
        return claim.digest(_domain());
    }

    function _domain() internal view returns (bytes32) {
        // A fork of the chain gets a new id, and must not accept the old chain's claims.
        return block.chainid == _CHAIN_ID ? _DOMAIN : ClaimLib.domainSeparator(HUB);
    }
}
