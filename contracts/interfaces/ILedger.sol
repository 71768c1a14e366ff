// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Credits per token and account
/// @notice Everything the protocol pays is a credit, pulled by its owner. The zero address stands for the native token.
interface ILedger {
    event Deposited(address indexed token, address indexed account, uint256 amount);
    event Withdrawn(address indexed token, address indexed account, uint256 amount, address to);
    event Transferred(address indexed token, address indexed from, address indexed to, uint256 amount);

    /// @notice Value and credit together do not cover the amount, in token units.
    error InsufficientCredit(address token, uint256 available, uint256 wanted);
    /// @notice The token claims to have moved more than any supply, in token units.
    error CreditOverflow(address token, uint256 amount);
    /// @notice Native value and amount differ (or value came with an ERC-20 token).
    error UnexpectedValue(uint256 received, uint256 expected);
    /// @notice The receiver refused the native transfer.
    error TransferFailed(address to, uint256 amount);
    /// @notice What is paid to the zero address or to the ledger itself would be lost.
    error BadReceiver(address to);
    /// @notice Credits of the zero address would be lost.
    error ZeroAccount();

    /// @notice Credits `account`: native by value, ERC-20 by allowance. What arrives counts, so tokens that take a cut work.
    /// @return received Token units credited.
    function deposit(address token, uint256 amount, address account) external payable returns (uint256 received);

    /// @notice Pays the caller's credit out to `to`.
    function withdraw(address token, uint256 amount, address to) external;

    /// @notice Moves the caller's credit to another account. Do not name the node registry: it has no use for more than
    /// the stakes it took, and no way to give it back.
    function transferCredit(address token, uint256 amount, address to) external;

    /// @notice Credit of an account, in token units.
    function creditOf(address token, address account) external view returns (uint256);
}
