// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title The money side of the lending examples
/// @notice The owner lends its own ether. Interest, collateral and due dates are yours to add.
abstract contract LoanPool is Ownable {
    /// @notice Wei that a borrower owes.
    mapping(address borrower => uint256) public debtOf;

    event Lent(address indexed borrower, uint256 amount);
    event Repaid(address indexed borrower, uint256 amount);

    /// @notice More than is owed, in wei.
    error RepaidTooMuch(uint256 received, uint256 debt);

    constructor() Ownable(msg.sender) {}

    /// @notice Funds the pool; insurance comes in here, too.
    receive() external payable {}

    /// @notice Pays back, for whomever.
    function repay(address borrower) external payable {
        uint256 debt = debtOf[borrower];
        if (msg.value > debt) revert RepaidTooMuch(msg.value, debt);

        debtOf[borrower] = debt - msg.value;
        emit Repaid(borrower, msg.value);
    }

    /// @notice Takes out what is not lent.
    function withdraw(uint256 amount, address payable to) external onlyOwner {
        Address.sendValue(to, amount);
    }

    /// @dev Runs the borrower's code: call it last, and never in a hook.
    function _lend(address borrower, uint256 amount) internal {
        debtOf[borrower] += amount;
        emit Lent(borrower, amount);
        Address.sendValue(payable(borrower), amount);
    }
}
