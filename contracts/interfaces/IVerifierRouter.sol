// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IVerifier} from "./IVerifier.sol";

/// @title Names of verifiers
/// @notice A route is four bytes naming one verifier for ever: it can be added and tombstoned, never re-pointed.
/// The owner chooses names; it cannot change what a name in use means, nor touch money. A tombstone ends open
/// requests on the route with a refund and without a penalty.
interface IVerifierRouter is IVerifier {
    event RouteAdded(bytes4 indexed route, IVerifier indexed verifier, string name);
    event RouteTombstoned(bytes4 indexed route);

    /// @notice No verifier has this name. Add it, or ask for a route that exists.
    error UnknownRoute(bytes4 route);
    /// @notice The verifier was withdrawn. Ask again on another route; open requests can be expired at once.
    error RouteIsTombstoned(bytes4 route);
    /// @notice A route is never re-pointed: choose another name.
    error RouteTaken(bytes4 route, IVerifier verifier);
    /// @notice Zero is no name.
    error ZeroRoute();
    /// @notice The address has no code, so it verifies nothing.
    error VerifierHasNoCode(IVerifier verifier);
    /// @notice A seal starts with its four route bytes.
    error SealTooShort(uint256 length);

    /// @notice Names a verifier. Owner only. One that announces `INestedVerifier` (ERC-165) is asked for its inner routes.
    /// @param name What a result on this route is worth, in one word ("Signed", "Attested", "Proven").
    function add(bytes4 route, IVerifier verifier, string calldata name) external;

    /// @notice Withdraws a route for good. Owner only.
    function tombstone(bytes4 route) external;

    /// @notice The verifier behind a live route; reverts with UnknownRoute or RouteIsTombstoned.
    function verifierOf(bytes4 route) external view returns (IVerifier);

    /// @notice The same for a request's route and trust: where the trust rests on another route (`INestedVerifier`, as a
    /// batch does), that one must live, too.
    function verifierFor(bytes4 route, bytes32 trust) external view returns (IVerifier);

    /// @notice What a result on this route is worth, in one word; empty for an unknown route.
    function nameOf(bytes4 route) external view returns (string memory);

    /// @notice True for a route that was added and not withdrawn.
    function isLive(bytes4 route) external view returns (bool);

    /// @notice Whether a seal for a request with this route and trust can still be taken: `verifierFor` would not revert.
    function canVerify(bytes4 route, bytes32 trust) external view returns (bool);
}
