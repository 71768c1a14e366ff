// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ILedger} from "../interfaces/ILedger.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";

/// @notice What an account has of one token: its credit in token units and, in the top bit of its native account, whether
/// it is a registered operator. The bit lives here because every settlement writes this slot anyway: asking costs nothing.
struct Account {
    uint256 word;
}

/// @notice Accounts per token. The zero address stands for the native token.
struct Ledger {
    mapping(address token => mapping(address account => Account)) accounts;
}

using LedgerLib for Ledger global;

/// @title Bookkeeping behind `ILedger`
library LedgerLib {
    using SafeERC20 for IERC20;

    address internal constant NATIVE = address(0);

    uint256 private constant OPERATOR = 1 << 255;

    function isOperator(Ledger storage self, address account) internal view returns (bool) {
        return self.accounts[NATIVE][account].word & OPERATOR != 0;
    }

    function setOperator(Ledger storage self, address account, bool registered) internal {
        Account storage a = self.accounts[NATIVE][account];
        a.word = registered ? a.word | OPERATOR : a.word & ~OPERATOR;
    }

    function creditOf(Ledger storage self, address token, address account) internal view returns (uint256) {
        return self.accounts[token][account].word & ~OPERATOR;
    }

    function credit(Ledger storage self, address token, address account, uint256 amount) internal {
        Account storage a = self.accounts[token][account];
        a.word = _plus(a.word, token, amount);
    }

    /// @dev Credits a registered operator with a fee or reverts. Native credits stay far below the operator bit, since no
    /// more is ever credited than was received.
    function creditOperator(Ledger storage self, address token, address operator, uint256 fee) internal {
        Account storage a = self.accounts[NATIVE][operator];
        uint256 before = a.word;
        if (before & OPERATOR == 0) revert INodeRegistry.UnregisteredOperator(operator);
        if (token == NATIVE) {
            unchecked {
                a.word = before + fee;
            }
        } else {
            self.credit(token, operator, fee);
        }
    }

    function debit(Ledger storage self, address token, address account, uint256 amount) internal {
        Account storage a = self.accounts[token][account];
        uint256 before = a.word;
        if (before & ~OPERATOR < amount) revert ILedger.InsufficientCredit(token, before & ~OPERATOR, amount);
        unchecked {
            a.word = before - amount;
        }
    }

    /// @dev Refuses what would run into the operator bit: only a token that lies about balances gets there.
    function _plus(uint256 before, address token, uint256 amount) private pure returns (uint256) {
        unchecked {
            if (amount >= OPERATOR - (before & ~OPERATOR)) revert ILedger.CreditOverflow(token, amount);
            return before + amount;
        }
    }

    /// @dev Takes `amount` from the value sent, then from the caller's credit; surplus value becomes credit.
    function collect(Ledger storage self, address token, uint256 amount) internal {
        if (token != NATIVE && msg.value != 0) revert ILedger.UnexpectedValue(msg.value, 0);
        if (msg.value == amount) return;
        if (msg.value > amount) {
            self.credit(token, msg.sender, msg.value - amount);
        } else {
            uint256 available = self.creditOf(token, msg.sender) + msg.value;
            if (available < amount) revert ILedger.InsufficientCredit(token, available, amount);
            self.debit(token, msg.sender, amount - msg.value);
        }
    }

    function deposit(Ledger storage self, address token, uint256 amount, address account)
        internal
        returns (uint256 received)
    {
        if (account == address(0)) revert ILedger.ZeroAccount();
        if (token == NATIVE) {
            if (msg.value != amount) revert ILedger.UnexpectedValue(msg.value, amount);
            received = amount;
        } else {
            if (msg.value != 0) revert ILedger.UnexpectedValue(msg.value, 0);
            uint256 before = IERC20(token).balanceOf(address(this));
            IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
            received = IERC20(token).balanceOf(address(this)) - before;
        }
        self.credit(token, account, received);
        emit ILedger.Deposited(token, account, received);
    }

    function withdraw(Ledger storage self, address token, uint256 amount, address to) internal {
        if (to == address(0) || to == address(this)) revert ILedger.BadReceiver(to);
        self.debit(token, msg.sender, amount);
        emit ILedger.Withdrawn(token, msg.sender, amount, to);
        if (token == NATIVE) {
            (bool ok,) = to.call{value: amount}("");
            if (!ok) revert ILedger.TransferFailed(to, amount);
        } else {
            IERC20(token).safeTransfer(to, amount);
        }
    }

    function move(Ledger storage self, address token, uint256 amount, address to) internal {
        if (to == address(0)) revert ILedger.ZeroAccount();
        self.debit(token, msg.sender, amount);
        self.credit(token, to, amount);
        emit ILedger.Transferred(token, msg.sender, to, amount);
    }
}
