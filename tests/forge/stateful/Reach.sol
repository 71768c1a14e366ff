// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {ILedger} from "../../../contracts/interfaces/ILedger.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {IVerifierRouter} from "../../../contracts/interfaces/IVerifierRouter.sol";
import {ClaimSignature} from "../../../contracts/libraries/ClaimSignature.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {SignatureVerifier} from "../../../contracts/verifiers/SignatureVerifier.sol";
import {Test} from "../Test.sol";
import {Handler} from "./Handler.sol";

/// @title What must have happened in a run: one that does not get here proves nothing
abstract contract Reach is Test {
    /// @dev When a call was made: at any time, in the last second before a deadline, in the first one after it, from inside
    /// of a callback.
    uint256 private constant EVER = 0;
    uint256 private constant LAST = 1;
    uint256 private constant FIRST = 2;
    uint256 private constant INSIDE = 3;

    bytes4 private constant WELL = 0;

    Handler internal _handler;

    error NotReached(string what);

    function _checkReach() internal view {
        string memory missing = string.concat(
            _missingOutcomes(),
            _missingDisputes(),
            _missingMoney(),
            _missingSeconds(),
            _missingInside(),
            _missingStories()
        );
        if (bytes(missing).length != 0) revert NotReached(missing);
    }

    /// @dev Every error of every function that asks or answers, in the order of the hub's checks.
    function _missingOutcomes() private view returns (string memory) {
        bytes memory seal = abi.encodePacked(
            SignatureVerifier.WrongSealLength.selector,
            SignatureVerifier.UntrustedOperator.selector,
            ClaimSignature.MalleableSignature.selector,
            SignatureVerifier.WrongSigner.selector,
            IInferenceHub.WrongRoute.selector,
            IVerifierRouter.RouteIsTombstoned.selector,
            IInferenceHub.UnknownRequest.selector,
            IInferenceHub.WrongStatus.selector,
            IInferenceHub.InsufficientGas.selector
        );
        bytes memory request = abi.encodePacked(
            IInferenceHub.DeliverByPassed.selector,
            IInferenceHub.WrongOperator.selector,
            IInferenceHub.OutputTooLarge.selector,
            INodeRegistry.UnregisteredOperator.selector,
            IVerifierRouter.UnknownRoute.selector
        );
        return string.concat(
            _missing(
                "ask",
                abi.encodePacked(
                    IInferenceHub.MalformedTerms.selector,
                    IInferenceHub.DeadlineInPast.selector,
                    IInferenceHub.DeadlineTooFar.selector,
                    IInferenceHub.GapTooLong.selector,
                    IInferenceHub.CallbackGasTooHigh.selector,
                    IInferenceHub.NotConsumer.selector,
                    IInferenceHub.WrongInputHash.selector,
                    IInferenceHub.RequestExists.selector,
                    ILedger.UnexpectedValue.selector,
                    ILedger.InsufficientCredit.selector
                )
            ),
            _missing("fulfil", bytes.concat(request, seal)),
            _missing("fulfilMany", abi.encodePacked(IInferenceHub.UnknownRequest.selector)),
            _missing(
                "deliver",
                bytes.concat(
                    request,
                    abi.encodePacked(
                        IInferenceHub.UnknownRequest.selector,
                        IInferenceHub.WrongStatus.selector,
                        IInferenceHub.NoGap.selector,
                        IVerifierRouter.RouteIsTombstoned.selector,
                        IInferenceHub.WrongSignatureLength.selector,
                        ClaimSignature.MalleableSignature.selector,
                        IInferenceHub.NotSignedByOperator.selector,
                        INodeRegistry.UncoveredExposure.selector,
                        IInferenceHub.InsufficientGas.selector
                    )
                )
            ),
            _missing(
                "settle", bytes.concat(seal, IInferenceHub.WrongAnswer.selector, IInferenceHub.ProveByPassed.selector)
            ),
            _missing(
                "settle without a seal",
                abi.encodePacked(
                    IInferenceHub.UnknownRequest.selector,
                    IInferenceHub.WrongStatus.selector,
                    IInferenceHub.WrongAnswer.selector,
                    IInferenceHub.SealRequired.selector,
                    IInferenceHub.WindowNotPassed.selector,
                    IInferenceHub.InsufficientGas.selector
                )
            )
        );
    }

    function _missingDisputes() private view returns (string memory) {
        bytes memory named = abi.encodePacked(
            IInferenceHub.UnknownRequest.selector,
            IInferenceHub.WrongStatus.selector,
            IInferenceHub.WrongAnswer.selector
        );
        bytes4 gasFault = IInferenceHub.InsufficientGas.selector;
        return string.concat(
            _missing(
                "challenge",
                bytes.concat(
                    named,
                    IInferenceHub.NoWindow.selector,
                    IInferenceHub.WindowPassed.selector,
                    ILedger.UnexpectedValue.selector,
                    ILedger.InsufficientCredit.selector
                )
            ),
            _missing(
                "reject",
                bytes.concat(
                    named,
                    IInferenceHub.NotChallenged.selector,
                    IInferenceHub.ProveByNotPassed.selector,
                    IVerifierRouter.RouteIsTombstoned.selector,
                    gasFault
                )
            ),
            _missing(
                "report",
                abi.encodePacked(
                    IInferenceHub.UnknownRequest.selector,
                    IInferenceHub.WrongStatus.selector,
                    IInferenceHub.WrongOperator.selector,
                    IInferenceHub.NoContradiction.selector,
                    IInferenceHub.WrongSignatureLength.selector,
                    ClaimSignature.MalleableSignature.selector,
                    IInferenceHub.NotSignedByOperator.selector,
                    IInferenceHub.AlreadyReported.selector,
                    gasFault
                )
            ),
            _missing(
                "expireDelivered",
                bytes.concat(named, IInferenceHub.RouteIsLive.selector, IInferenceHub.WindowPassed.selector, gasFault)
            ),
            _missing(
                "expire",
                abi.encodePacked(
                    IInferenceHub.UnknownRequest.selector,
                    IInferenceHub.WrongStatus.selector,
                    IInferenceHub.DeliverByNotPassed.selector
                )
            ),
            _missing(
                "retry",
                abi.encodePacked(
                    IInferenceHub.NothingToRetry.selector,
                    IInferenceHub.WrongAnswer.selector,
                    IInferenceHub.CallbackGasTooHigh.selector,
                    IInferenceHub.CallbackReverted.selector,
                    gasFault
                )
            )
        );
    }

    function _missingMoney() private view returns (string memory) {
        bytes4 notHub = INodeRegistry.NotHub.selector;
        bytes4 noCredit = ILedger.InsufficientCredit.selector;
        bytes4 zero = INodeRegistry.ZeroAmount.selector;
        bytes4 notRegistered = INodeRegistry.UnregisteredOperator.selector;
        bytes4 notOwner = Ownable.OwnableUnauthorizedAccount.selector;
        return string.concat(
            string.concat(
                _missing("deposit", abi.encodePacked(ILedger.UnexpectedValue.selector, ILedger.ZeroAccount.selector)),
                _missing(
                    "withdraw",
                    abi.encodePacked(ILedger.BadReceiver.selector, noCredit, ILedger.TransferFailed.selector)
                ),
                _missing("transfer", abi.encodePacked(ILedger.ZeroAccount.selector, noCredit)),
                _missing("donate", "")
            ),
            string.concat(
                _missing("register", abi.encodePacked(INodeRegistry.BadEndpointSize.selector)),
                _missing("retire", abi.encodePacked(notRegistered)),
                _missing("set price", abi.encodePacked(notRegistered)),
                _missing("remove price", abi.encodePacked(INodeRegistry.PriceNotOffered.selector)),
                _missing("stake", abi.encodePacked(INodeRegistry.WrongValue.selector, zero)),
                _missing("unbond", abi.encodePacked(INodeRegistry.InsufficientStake.selector, zero)),
                _missing("unbond what is locked", ""),
                _missing("withdraw stake", abi.encodePacked(INodeRegistry.StillUnbonding.selector, zero))
            ),
            string.concat(
                _missing("setOperator", IInferenceHub.NotRegistry.selector, EVER),
                _missing("lock", notHub, EVER),
                _missing("release", notHub, EVER),
                _missing("slash", notHub, EVER),
                _missing("slashFree", notHub, EVER),
                _missing("add route", IVerifierRouter.RouteTaken.selector, EVER),
                _missing("add route", notOwner, EVER),
                _missing("tombstone", bytes.concat(IVerifierRouter.RouteIsTombstoned.selector, notOwner))
            )
        );
    }

    /// @dev Each deadline belongs to one side up to its second, and to the other side from the next one on.
    function _missingSeconds() private view returns (string memory) {
        return string.concat(
            string.concat(
                _missing("fulfil", WELL, LAST),
                _missing("fulfil", IInferenceHub.DeliverByPassed.selector, FIRST),
                _missing("deliver", WELL, LAST),
                _missing("deliver", IInferenceHub.DeliverByPassed.selector, FIRST),
                _missing("expire", IInferenceHub.DeliverByNotPassed.selector, LAST),
                _missing("expire", WELL, FIRST)
            ),
            string.concat(
                _missing("settle", WELL, LAST),
                _missing("settle", IInferenceHub.ProveByPassed.selector, FIRST),
                _missing("reject", IInferenceHub.ProveByNotPassed.selector, LAST),
                _missing("reject", WELL, FIRST),
                _missing("challenge", WELL, LAST),
                _missing("challenge", IInferenceHub.WindowPassed.selector, FIRST)
            ),
            string.concat(
                _missing("settle without a seal", IInferenceHub.WindowNotPassed.selector, LAST),
                _missing("settle without a seal", WELL, FIRST),
                _missing("expireDelivered", WELL, LAST),
                _missing("expireDelivered", IInferenceHub.WindowPassed.selector, FIRST),
                _missing("withdraw stake", INodeRegistry.StillUnbonding.selector, LAST),
                _missing("withdraw stake", WELL, FIRST)
            )
        );
    }

    /// @dev Consumers call the hub from inside of each callback and of a payment.
    function _missingInside() private view returns (string memory) {
        bytes32[11] memory succeeding = [
            bytes32("ask"),
            "expire",
            "fulfil",
            "deliver",
            "settle",
            "settle without a seal",
            "challenge",
            "reject",
            "expireDelivered",
            "report",
            "withdraw"
        ];
        string memory missing = string.concat(
            _missingStatuses("re-entered", true),
            _missing("re-entered", bytes4(uint32(Status.None)), EVER),
            _missing("retry", IInferenceHub.NothingToRetry.selector, INSIDE),
            _missing("settle", IInferenceHub.WrongStatus.selector, INSIDE),
            _missing("challenge", IInferenceHub.WrongStatus.selector, INSIDE),
            _missing("reject", IInferenceHub.WrongStatus.selector, INSIDE),
            _missing("expireDelivered", IInferenceHub.WrongStatus.selector, INSIDE)
        );
        for (uint256 i; i < succeeding.length; ++i) {
            missing = string.concat(missing, _missing(succeeding[i], WELL, INSIDE));
        }
        return missing;
    }

    function _missingStories() private view returns (string memory missing) {
        bytes32[14] memory stories = [
            bytes32("ask with credit"),
            "ask with surplus",
            "expire at once",
            "fulfilMany skips",
            "fulfilMany settles several",
            "dealt with itself",
            "challenged by itself",
            "rewarded itself",
            "settled after retiring",
            "slashed on its way out",
            "reported for the rest",
            "report on a dead route",
            "report ends it",
            "donate"
        ];
        for (uint256 i; i < stories.length; ++i) {
            missing = string.concat(missing, _missing(stories[i], WELL, EVER));
        }
        missing = string.concat(
            missing,
            _missingStatuses("callback failed", true),
            _missingStatuses("retry when", true),
            _missing("retry when", bytes4(uint32(Status.Challenged)), EVER),
            _missing("report when", bytes4(uint32(Status.Requested)), EVER),
            _missingStatuses("report when", false),
            _missingStatuses("reject when", false),
            _missingStatuses("expireDelivered when", false)
        );
    }

    /// @dev The four that a consumer is told of, or the two in which a gap is open.
    function _missingStatuses(bytes32 what, bool isTold) private view returns (string memory) {
        string memory missing = _missing(what, bytes4(uint32(Status.Delivered)), EVER);
        if (!isTold) return string.concat(missing, _missing(what, bytes4(uint32(Status.Challenged)), EVER));
        return string.concat(
            missing,
            _missing(what, bytes4(uint32(Status.Settled)), EVER),
            _missing(what, bytes4(uint32(Status.Expired)), EVER),
            _missing(what, bytes4(uint32(Status.Rejected)), EVER)
        );
    }

    /// @dev The action went well, and was refused for each of these.
    function _missing(bytes32 action, bytes memory faults) private view returns (string memory missing) {
        missing = _missing(action, WELL, EVER);
        for (uint256 i; i < faults.length; i += 4) {
            bytes4 fault;
            assembly ("memory-safe") {
                fault := mload(add(add(faults, 0x20), i))
            }
            missing = string.concat(missing, _missing(action, fault, EVER));
        }
    }

    /// @dev What to say if it did not happen.
    function _missing(bytes32 action, bytes4 fault, uint256 when) private view returns (string memory) {
        if (_handler.reached(action, fault, when) != 0) return "";
        string[4] memory times = ["", ", last second", ", first second after", ", inside a callback"];
        return
            string.concat(text(action), fault == WELL ? "" : " ", fault == WELL ? "" : _hex(fault), times[when], "; ");
    }

    function _hex(bytes4 word) private pure returns (string memory) {
        bytes memory digits = "0x00000000";
        for (uint256 i; i < 8; ++i) {
            digits[2 + i] = bytes("0123456789abcdef")[uint32(word) >> (28 - 4 * i) & 15];
        }
        return string(digits);
    }
}
