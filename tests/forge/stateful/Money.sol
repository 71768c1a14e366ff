// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ILedger} from "../../../contracts/interfaces/ILedger.sol";
import {Mood} from "../actors/Consumer.sol";
import {PlainToken} from "../actors/Tokens.sol";
import {Calling} from "./Calling.sol";

/// @title Deposits, withdrawals, transfers and gifts, by everyone
abstract contract Money is Calling {
    function _doDeposit(uint256 seed) internal {
        address token = _token(seed);
        address from = _sender(seed);
        address to = pick(seed, "zero", 12) == 0 ? address(0) : _accounts[pick(seed, "to", _accounts.length)];
        uint256 amount = _amount(seed, "amount", 10 ether);
        uint256 value = token == NATIVE ? amount : 0;
        bytes4 expected;
        if (pick(seed, "wrong value", 8) == 0) {
            ++value;
            expected = ILedger.UnexpectedValue.selector;
        }
        if (to == address(0)) expected = ILedger.ZeroAccount.selector;

        if (token != NATIVE) _mintAndApprove(token, from, address(HUB), amount);
        if (expected == 0) _give(token, to, _arriving(token, amount));
        bytes memory data = abi.encodeCall(HUB.deposit, (token, amount, to));
        bytes memory result = _send("deposit", from, address(HUB), value, data, expected);
        if (expected == 0) assertEq(abi.decode(result, (uint256)), _arriving(token, amount), "received");
    }

    /// @dev The receiver may call back while it is being paid: then the money is gone from its account already.
    function _doWithdraw(uint256 seed) internal {
        address token = _token(seed);
        address from = _sender(seed);
        address to = pick(seed, "to self", 2) == 0 ? from : _sender(reseed(seed, "to"));
        if (pick(seed, "refused", 6) == 0) {
            token = NATIVE;
            for (uint256 i; i < _consumers.length && _moods[to] != Mood.Refuse; ++i) {
                to = _consumers[i];
            }
        }
        uint256 nowhere = pick(seed, "nowhere", 12);
        if (nowhere < 2) to = nowhere == 0 ? address(0) : address(HUB);
        uint256 had = credit[token][from];
        uint256 amount = _share(seed, had);
        bytes4 expected;
        if (nowhere < 2) expected = ILedger.BadReceiver.selector;
        else if (amount > had) expected = ILedger.InsufficientCredit.selector;
        else if (token == NATIVE && _moods[to] == Mood.Refuse) expected = ILedger.TransferFailed.selector;

        if (expected == 0) _take(token, from, amount);
        _send("withdraw", from, address(HUB), 0, abi.encodeCall(HUB.withdraw, (token, amount, to)), expected);
    }

    function _doTransferCredit(uint256 seed) internal {
        address token = _token(seed);
        address from = _sender(seed);
        address to = pick(seed, "zero", 12) == 0 ? address(0) : _accounts[pick(seed, "to", _accounts.length)];
        uint256 amount = _share(seed, credit[token][from]);
        bytes4 expected;
        if (to == address(0)) expected = ILedger.ZeroAccount.selector;
        else if (amount > credit[token][from]) expected = ILedger.InsufficientCredit.selector;

        if (expected == 0) {
            _take(token, from, amount);
            _give(token, to, amount);
        }
        _send("transfer", from, address(HUB), 0, abi.encodeCall(HUB.transferCredit, (token, amount, to)), expected);
    }

    /// @notice Money that nobody asked for: it is nobody's, and must not become anybody's.
    function _doDonate(uint256 seed) internal {
        address token = _token(seed);
        uint256 amount = 1 + pick(seed, "amount", 1 ether);
        donated[token] += _arriving(token, amount);
        if (token == NATIVE) {
            vm.deal(address(HUB), address(HUB).balance + amount); // as a self-destruct or a block reward does
        } else {
            _mint(token, STRANGER, amount);
            vm.prank(STRANGER);
            assertTrue(PlainToken(token).transfer(address(HUB), amount), "gift");
        }
        compareBalance(token);
        _mark("donate", 0, 0);
    }

    /// @dev Part of what there is, all of it, or one too many.
    function _share(uint256 seed, uint256 had) internal pure returns (uint256) {
        uint256 edge = pick(seed, "share", 6);
        return edge == 0 ? had + 1 : edge == 1 ? had : pick(seed, "amount", had + 1);
    }

    function _mintAndApprove(address token, address from, address spender, uint256 amount) internal {
        _mint(token, from, amount);
        vm.prank(from);
        PlainToken(token).approve(spender, amount);
    }
}
