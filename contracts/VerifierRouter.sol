// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ERC165Checker} from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";
import {INestedVerifier} from "./interfaces/INestedVerifier.sol";
import {IVerifier} from "./interfaces/IVerifier.sol";
import {IVerifierRouter} from "./interfaces/IVerifierRouter.sol";
import {Claim} from "./types/Claim.sol";

/// @title Vouch verifier router
contract VerifierRouter is IVerifierRouter, Ownable2Step {
    struct Route {
        IVerifier verifier;
        bool tombstoned;
        bool nested;
        string name;
    }

    mapping(bytes4 route => Route) private _routes;

    constructor(address owner) Ownable(owner) {}

    /// @inheritdoc IVerifierRouter
    function add(bytes4 route, IVerifier verifier, string calldata name) external onlyOwner {
        if (route == 0) revert ZeroRoute();
        IVerifier taken = _routes[route].verifier;
        if (address(taken) != address(0)) revert RouteTaken(route, taken);
        if (address(verifier).code.length == 0) revert VerifierHasNoCode(verifier);

        bool nested = ERC165Checker.supportsInterface(address(verifier), type(INestedVerifier).interfaceId);
        _routes[route] = Route(verifier, false, nested, name);
        emit RouteAdded(route, verifier, name);
    }

    /// @inheritdoc IVerifierRouter
    function tombstone(bytes4 route) external onlyOwner {
        verifierOf(route);

        _routes[route].tombstoned = true;
        emit RouteTombstoned(route);
    }

    /// @inheritdoc IVerifier
    function verify(bytes calldata seal, bytes32 trust, Claim calldata claim) external view {
        if (seal.length < 4) revert SealTooShort(seal.length);
        verifierOf(bytes4(seal)).verify(seal, trust, claim);
    }

    /// @inheritdoc IVerifierRouter
    function verifierOf(bytes4 route) public view returns (IVerifier verifier) {
        Route storage r = _routes[route];
        verifier = r.verifier;
        if (address(verifier) == address(0)) revert UnknownRoute(route);
        if (r.tombstoned) revert RouteIsTombstoned(route);
    }

    /// @inheritdoc IVerifierRouter
    function verifierFor(bytes4 route, bytes32 trust) external view returns (IVerifier verifier) {
        verifier = verifierOf(route);
        if (_routes[route].nested) verifierOf(_innerRoute(verifier, trust));
    }

    /// @inheritdoc IVerifierRouter
    function nameOf(bytes4 route) external view returns (string memory) {
        return _routes[route].name;
    }

    /// @inheritdoc IVerifierRouter
    function isLive(bytes4 route) public view returns (bool) {
        return address(_routes[route].verifier) != address(0) && !_routes[route].tombstoned;
    }

    /// @inheritdoc IVerifierRouter
    function canVerify(bytes4 route, bytes32 trust) external view returns (bool) {
        if (!isLive(route)) return false;
        Route storage r = _routes[route];
        return !r.nested || isLive(_innerRoute(r.verifier, trust));
    }

    function _innerRoute(IVerifier verifier, bytes32 trust) private pure returns (bytes4) {
        return INestedVerifier(address(verifier)).innerRouteOf(trust);
    }
}
