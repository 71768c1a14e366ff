// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {ClaimSignature} from "../../../contracts/libraries/ClaimSignature.sol";
import {SignedOutput} from "../../../contracts/types/Gap.sol";
import {Request} from "../../../contracts/types/Request.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {Disputing} from "./Disputing.sol";

/// @title Operators contradict themselves, and anyone shows it
abstract contract Reporting is Disputing {
    struct Report {
        uint256 index;
        Request terms;
        bool isAltered;
        address operator;
        uint256[2] answers;
        bytes[2] signatures;
        bytes4 fault;
    }

    /// @dev What was reported last, to be reported again.
    uint256 private _lastIndex;
    address private _lastOperator;

    function _doReport(uint256 seed) internal {
        Report memory r = _report(seed);
        address sender = _sender(seed);
        bytes4 expected = _reportFault(r);
        bool isGuilty = expected == 0 && _isDelivered(r);
        if (isGuilty) {
            expected = _gasFault(seed, r.terms, Status.Rejected);
        } else if (expected == 0 && _reported[_items[r.index].id][r.operator] == _atStake(r.terms)) {
            expected = IInferenceHub.AlreadyReported.selector;
        }
        if (expected == 0 && isGuilty) {
            if (_routeFault(r.terms.route) != 0) _mark("report on a dead route", 0, 0);
            _mark("report ends it", 0, 0);
            _applyReject(r.index, sender);
        } else if (expected == 0) {
            _applySlash(r, sender);
        }
        bytes memory data =
            abi.encodeCall(HUB.reportEquivocation, (r.terms, r.operator, _signedOutput(r, 0), _signedOutput(r, 1)));
        if (isGuilty) _sendBack("report", sender, data, expected, r.index, Status.Rejected);
        else _send("report", sender, address(HUB), 0, data, expected);
    }

    /// @dev The operator loses what is free, then what is on its way out; the consumer is insured before the caller is paid.
    function _applySlash(Report memory r, address sender) private {
        (address token, uint256 exposure) = (r.terms.token, r.terms.exposure);
        bytes32 id = _item(r.index).id;
        _mark("report when", bytes4(uint32(_items[r.index].status)), 0);
        uint256 before = _reported[id][r.operator];
        if (before != 0) _mark("reported for the rest", 0, 0);
        (_lastIndex, _lastOperator) = (r.index, r.operator);
        INodeRegistry.Stake storage s = _stake(r.operator, token);
        uint256 most = _atStake(r.terms) - before;
        uint256 bonded = _least(most, s.bonded - s.exposed);
        uint256 unbonding = _least(most - bonded, s.unbonding);
        if (unbonding != 0) _mark("slashed on its way out", 0, 0);
        s.bonded -= uint128(bonded);
        s.unbonding -= uint128(unbonding);
        _reported[id][r.operator] = before + bonded + unbonding;
        uint256 insured = _least(bonded + unbonding, exposure > before ? exposure - before : 0);
        _take(token, address(NODES), bonded + unbonding);
        _give(token, _beneficiary(r.terms), insured);
        _give(token, sender, bonded + unbonding - insured);
    }

    /// @dev All that the operator can lose by the terms.
    function _atStake(Request memory terms) private pure returns (uint256) {
        return terms.exposure > type(uint256).max - terms.bond ? type(uint256).max : terms.exposure + terms.bond;
    }

    function _reportFault(Report memory r) private view returns (bytes4) {
        if (r.isAltered) return IInferenceHub.UnknownRequest.selector;
        if (!_isAlive(_items[r.index].status)) return IInferenceHub.WrongStatus.selector;
        address named = r.terms.operator;
        if (named != address(0) && named != r.operator) return IInferenceHub.WrongOperator.selector;
        if (r.answers[0] == r.answers[1]) return IInferenceHub.NoContradiction.selector;
        return r.fault;
    }

    /// @dev True if one of the two is the result that was delivered.
    function _isDelivered(Report memory r) private view returns (bool) {
        Item storage item = _items[r.index];
        if (!_isOpen(item.status) || r.operator != item.operator) return false;
        return r.answers[0] == item.answer || r.answers[1] == item.answer;
    }

    /// @dev Two outputs with the signatures of one operator, and what is wrong with them.
    function _report(uint256 seed) private view returns (Report memory r) {
        uint256 kind = pick(seed, "kind", 3);
        Status wanted = kind == 0 ? Status.Requested : kind == 1 ? Status.Delivered : Status.Challenged;
        bool isRepeated = pick(seed, "again", 6) == 0;
        r.index = isRepeated ? _lastIndex : _find(seed, wanted, 1);
        Item storage item = _items[r.index];
        r.terms = item.terms;
        r.operator = r.terms.operator;
        if (_isOpen(item.status) && pick(seed, "deliverer", 4) != 0) r.operator = item.operator;
        else if (r.operator == address(0)) r.operator = _accounts[pick(seed, "liar", OPERATORS)];
        // Whoever is named: somebody else, or somebody without a stake.
        uint256 another = pick(seed, "another", 12);
        if (another == 0) r.operator = _operator(seed, "liar");
        else if (another == 1) r.operator = vm.addr(FIRST_KEY + OPERATORS);
        if (isRepeated && _lastOperator != address(0)) r.operator = _lastOperator;
        uint256 first = pick(seed, "first", ANSWERS);
        r.answers = [first, (first + 1 + pick(seed, "second", ANSWERS - 1)) % ANSWERS];

        uint256 fault = pick(seed, "fault", 16);
        if (fault == 0) r.answers[1] = first;
        uint256 forged = pick(seed, "forged", 2);
        for (uint256 i; i < 2; ++i) {
            address signer = fault == 1 && i == forged ? _forger(r.operator) : r.operator;
            r.signatures[i] = _sign(item.id, r.terms, r.operator, _output(r.answers[i]), signer);
        }
        if (fault == 1) {
            r.fault = IInferenceHub.NotSignedByOperator.selector;
        } else if (fault == 2) {
            r.signatures[forged] = bytes.concat(r.signatures[forged], hex"00");
            r.fault = IInferenceHub.WrongSignatureLength.selector;
        } else if (fault == 3) {
            r.signatures[forged] = _malleated(r.signatures[forged], 0);
            r.fault = ClaimSignature.MalleableSignature.selector;
        } else if (fault == 4) {
            (r.terms.exposure, r.isAltered) = (~r.terms.exposure, true);
        }
    }

    function _forger(address operator) private view returns (address) {
        return operator == _accounts[0] ? _accounts[2] : _accounts[0];
    }

    function _signedOutput(Report memory r, uint256 i) private pure returns (SignedOutput memory) {
        return SignedOutput(keccak256(_output(r.answers[i])), r.signatures[i]);
    }

    function _least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
