// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IInferenceConsumer} from "./interfaces/IInferenceConsumer.sol";
import {IInferenceHub} from "./interfaces/IInferenceHub.sol";
import {Request} from "./types/Request.sol";
import {Status} from "./types/Status.sol";

/// @title Inherit this to ask a model
/// @notice One hook per transition, so that a provisional result can never be taken for a final one.
abstract contract InferenceConsumer is IInferenceConsumer, ERC165 {
    /// @notice The hub that this consumer asks and that alone may call it back.
    IInferenceHub public immutable HUB;

    /// @notice Only the hub calls back.
    error NotHub(address caller, address hub);
    /// @notice The consumer has no hook for this transition.
    error UnexpectedStatus(bytes32 id, Status status);

    constructor(IInferenceHub hub) {
        HUB = hub;
    }

    /// @inheritdoc IInferenceConsumer
    function onInference(bytes32 id, uint256 salt, Status status, bytes calldata output) external returns (bytes4) {
        if (msg.sender != address(HUB)) revert NotHub(msg.sender, address(HUB));
        if (status == Status.Settled) _onSettled(id, salt, output);
        else if (status == Status.Delivered) _onProvisional(id, salt, output);
        else if (status == Status.Rejected) _onRejected(id, salt);
        else if (status == Status.Expired) _onExpired(id, salt);
        else revert UnexpectedStatus(id, status);
        return IInferenceConsumer.onInference.selector;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) public view virtual override returns (bool) {
        return interfaceId == type(IInferenceConsumer).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @dev Asks with these terms; fills in the consumer and the hash of the input, and pays a native fee from this
    /// contract's balance (so forward the user's value). An ERC-20 fee comes from this contract's credit in the hub.
    function _ask(Request memory terms, bytes memory input) internal returns (bytes32 id) {
        terms.consumer = address(this);
        terms.inputHash = keccak256(input);
        return HUB.request{value: terms.token == address(0) ? terms.fee : 0}(terms, input);
    }

    /// @dev Pays out what the hub owes this contract: refunds of requests without refundTo, and surplus. Offer it to whom
    /// the money belongs, or let it stay: credit pays the next ERC-20 fee.
    function _withdrawCredit(address token, uint256 amount, address to) internal {
        HUB.withdraw(token, amount, to);
    }

    /// @dev The result is final.
    function _onSettled(bytes32 id, uint256 salt, bytes calldata output) internal virtual;

    /// @dev A result is out, its proof is not (gate OnDelivery only). Refused unless overridden.
    function _onProvisional(bytes32 id, uint256, bytes calldata) internal virtual {
        revert UnexpectedStatus(id, Status.Delivered);
    }

    /// @dev The provisional result was bad; fee and exposure are already credited. Refused unless overridden.
    function _onRejected(bytes32 id, uint256) internal virtual {
        revert UnexpectedStatus(id, Status.Rejected);
    }

    /// @dev The provisional result can never be proven, because its route was tombstoned: only the fee is back, nothing was
    /// insured. Whoever acted on the result has the same to undo, so this is `_onRejected` unless overridden.
    function _onExpired(bytes32 id, uint256 salt) internal virtual {
        _onRejected(id, salt);
    }
}
