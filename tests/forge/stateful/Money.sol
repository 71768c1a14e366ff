// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ILedger} from "../../../contracts/interfaces/ILedger.sol";
import {Consumer, Mood} from "../actors/Consumer.sol";
import {PlainToken} from "../actors/Tokens.sol";
import {World} from "./World.sol";

/// @title Deposits, withdrawals, transfers and gifts, by everyone
abstract contract Money is World {
    function _doDeposit(uint256 seed, uint256 amount) internal {
        address token = _token(seed);
        address from = _actor(seed);
        address to = pick(seed, "zero", 12) == 0 ? address(0) : _account(seed, "to");
        amount = bound(amount, 0, 10 ether);
        uint256 value = token == NATIVE ? amount : 0;
        bytes4 expected;
        if (pick(seed, "wrong value", 8) == 0) {
            ++value;
            expected = ILedger.UnexpectedValue.selector;
        }
        if (to == address(0)) expected = ILedger.ZeroAccount.selector;

        if (token != NATIVE) _mintAndApprove(token, from, address(HUB), amount);
        vm.deal(from, from.balance + value);
        vm.prank(from);
        (bool ok, bytes memory result) =
            address(HUB).call{value: value}(abi.encodeCall(HUB.deposit, (token, amount, to)));
        _expect("deposit", ok, result, expected);
        if (!ok) return;
        assertEq(abi.decode(result, (uint256)), _arriving(token, amount), "received");
        _give(token, to, _arriving(token, amount));
    }

    function _doWithdraw(uint256 seed) internal {
        address token = _token(seed);
        address from = _actor(seed);
        address to = pick(seed, "to self", 2) == 0 ? from : _actor(uint256(keccak256(abi.encode(seed))));
        uint256 place = pick(seed, "nowhere", 12);
        if (place < 2) to = place == 0 ? address(0) : address(HUB);
        bool armed = place >= 2 && pick(seed, "armed", 3) == 0;
        if (armed) (token, from) = (NATIVE, _consumers[pick(seed, "thief", _consumers.length - 1)]);
        if (armed) to = from;
        uint256 had = credit[token][from];
        // Sometimes one too many; rarely nothing.
        uint256 amount = pick(seed, "all", 3) == 0 ? had : pick(seed, "amount", had + 2);
        bytes4 expected;
        if (place < 2) {
            expected = ILedger.BadReceiver.selector;
        } else if (amount > had) {
            expected = ILedger.InsufficientCredit.selector;
        } else if (token == NATIVE && to.code.length != 0 && _moodOf(to) == Mood.Refuse) {
            expected = ILedger.TransferFailed.selector;
        }

        // The receiver withdraws again while it is being paid: only from what is left, which is all a thief would want.
        if (armed) {
            bytes[] memory calls = new bytes[](1);
            calls[0] = abi.encodeCall(HUB.withdraw, (token, amount, from));
            Consumer(payable(from)).arm(calls);
        }
        vm.prank(from);
        (bool ok, bytes memory reason) = address(HUB).call(abi.encodeCall(HUB.withdraw, (token, amount, to)));
        _expect("withdraw", ok, reason, expected);
        if (ok) {
            credit[token][from] -= amount;
            if (armed) _checkSecond(Consumer(payable(from)), amount);
        }
        if (armed) Consumer(payable(from)).disarm();
    }

    function _doTransferCredit(uint256 seed) internal {
        address token = _token(seed);
        address from = _actor(seed);
        address to = pick(seed, "zero", 12) == 0 ? address(0) : _account(seed, "to");
        uint256 amount = pick(seed, "amount", credit[token][from] + 2);
        bytes4 expected;
        if (to == address(0)) expected = ILedger.ZeroAccount.selector;
        else if (amount > credit[token][from]) expected = ILedger.InsufficientCredit.selector;

        vm.prank(from);
        (bool ok, bytes memory reason) = address(HUB).call(abi.encodeCall(HUB.transferCredit, (token, amount, to)));
        _expect("transfer", ok, reason, expected);
        if (!ok) return;
        credit[token][from] -= amount;
        _give(token, to, amount);
    }

    /// @notice Money that nobody asked for: it is nobody's, and must not become anybody's.
    function _doDonate(uint256 seed, uint256 amount) internal {
        address token = _token(seed);
        amount = bound(amount, 1, 1 ether);
        if (token == NATIVE) {
            vm.deal(address(HUB), address(HUB).balance + amount); // as a self-destruct or a block reward does
            donated[token] += amount;
        } else {
            _mint(token, STRANGER, amount);
            vm.prank(STRANGER);
            assertTrue(PlainToken(token).transfer(address(HUB), amount), "gift");
            donated[token] += _arriving(token, amount);
        }
        ++reached["donate"];
    }

    function _checkSecond(Consumer thief, uint256 amount) private {
        bool[] memory outcomes = thief.outcomes();
        assertEq(outcomes.length, 1, "armed calls");
        bool pays = amount <= credit[NATIVE][address(thief)];
        assertTrue(outcomes[0] == pays, "second withdrawal while the first is paid");
        if (pays) credit[NATIVE][address(thief)] -= amount;
        ++reached["withdraw re-entered"];
    }

    /// @dev An operator or a consumer; the registry acts through its own functions alone.
    function _actor(uint256 seed) internal view returns (address) {
        return accounts[pick(seed, "actor", accounts.length - 1)];
    }

    function _mintAndApprove(address token, address from, address spender, uint256 amount) internal {
        _mint(token, from, amount);
        vm.prank(from);
        PlainToken(token).approve(spender, amount);
    }
}
