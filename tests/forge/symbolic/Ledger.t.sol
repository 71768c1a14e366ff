// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Account, Ledger} from "../../../contracts/types/Ledger.sol";
import {Test} from "../Test.sol";

/// @title The ledger's library, over words that the check has put there
contract Books {
    Ledger private _ledger;

    function put(address token, address account, uint256 word) external {
        _ledger.accounts[token][account] = Account(word);
    }

    function wordOf(address token, address account) external view returns (uint256) {
        return _ledger.accounts[token][account].word;
    }

    function isOperator(address account) external view returns (bool) {
        return _ledger.isOperator(account);
    }

    function creditOf(address token, address account) external view returns (uint256) {
        return _ledger.creditOf(token, account);
    }

    function setOperator(address account, bool registered) external {
        _ledger.setOperator(account, registered);
    }

    function credit(address token, address account, uint256 amount) external {
        _ledger.credit(token, account, amount);
    }

    function creditOperator(address token, address operator, uint256 fee) external {
        _ledger.creditOperator(token, operator, fee);
    }

    function debit(address token, address account, uint256 amount) external {
        _ledger.debit(token, account, amount);
    }

    function collect(address token, uint256 amount) external payable {
        _ledger.collect(token, amount);
    }

    function move(address token, uint256 amount, address to) external {
        _ledger.move(token, amount, to);
    }
}

/// @title For every word, account, token and amount at once: what each function of the ledger does, and when it refuses
/// @dev Run by halmos (scripts/test --deep). `word` is an account as stored: the operator bit and the credit below it. A
/// second account, that has no part in what happens, shows that nothing else changes. Nothing here may revert by itself,
/// or the path would not be looked at.
contract LedgerCheck is Test {
    uint256 private constant BIT = 1 << 255;
    uint256 private constant CREDIT = BIT - 1;

    Books private immutable _books = new Books();

    address private _otherToken;
    address private _other;
    uint256 private _otherWord;

    function check_reads(address token, address account, uint256 word, uint256 native) external {
        vm.assume(token != address(0) || native == word);
        _books.put(address(0), account, native);
        _books.put(token, account, word);
        assert(_books.creditOf(token, account) == word & CREDIT);
        assert(_books.isOperator(account) == (native >= BIT));
    }

    function check_setOperator(
        address account,
        uint256 word,
        bool registered,
        address otherToken,
        address other,
        uint256 otherWord
    ) external {
        _keep(address(0), account, word, otherToken, other, otherWord);
        (bool ok,) = address(_books).call(abi.encodeCall(Books.setOperator, (account, registered)));
        assert(ok);
        assert(_books.wordOf(address(0), account) == (word & CREDIT) | (registered ? BIT : 0));
        _checkOther();
    }

    function check_credit(
        address token,
        address account,
        uint256 word,
        uint256 amount,
        address otherToken,
        address other,
        uint256 otherWord
    ) external {
        _keep(token, account, word, otherToken, other, otherWord);
        (bool ok,) = address(_books).call(abi.encodeCall(Books.credit, (token, account, amount)));
        assert(ok == _fits(word, amount));
        if (ok) _checkWord(token, account, word, (word & CREDIT) + amount);
        else assert(_books.wordOf(token, account) == word);
        _checkOther();
    }

    function check_debit(
        address token,
        address account,
        uint256 word,
        uint256 amount,
        address otherToken,
        address other,
        uint256 otherWord
    ) external {
        _keep(token, account, word, otherToken, other, otherWord);
        (bool ok,) = address(_books).call(abi.encodeCall(Books.debit, (token, account, amount)));
        assert(ok == (amount <= word & CREDIT));
        unchecked {
            if (ok) _checkWord(token, account, word, (word & CREDIT) - amount);
            else assert(_books.wordOf(token, account) == word);
        }
        _checkOther();
    }

    /// @dev Native credits stay below the bit, because no more is ever credited than was received.
    function check_creditOperatorNative(
        address operator,
        uint256 word,
        uint256 fee,
        address otherToken,
        address other,
        uint256 otherWord
    ) external {
        vm.assume(_fits(word, fee));
        _keep(address(0), operator, word, otherToken, other, otherWord);
        (bool ok,) = address(_books).call(abi.encodeCall(Books.creditOperator, (address(0), operator, fee)));
        assert(ok == (word >= BIT));
        if (ok) _checkWord(address(0), operator, word, (word & CREDIT) + fee);
        else assert(_books.wordOf(address(0), operator) == word);
        _checkOther();
    }

    function check_creditOperatorToken(
        address token,
        address operator,
        uint256 word,
        uint256 fee,
        uint256 native,
        address otherToken,
        address other,
        uint256 otherWord
    ) external {
        vm.assume(token != address(0));
        vm.assume(otherToken != address(0) || other != operator);
        _keep(token, operator, word, otherToken, other, otherWord);
        _books.put(address(0), operator, native);
        (bool ok,) = address(_books).call(abi.encodeCall(Books.creditOperator, (token, operator, fee)));
        assert(ok == (native >= BIT && _fits(word, fee)));
        if (ok) _checkWord(token, operator, word, (word & CREDIT) + fee);
        else assert(_books.wordOf(token, operator) == word);
        assert(_books.wordOf(address(0), operator) == native);
        _checkOther();
    }

    /// @dev What comes in, value and credit together, is what was asked for and what is left. Not all the ether of
    /// the world reaches the bit.
    function check_collect(
        address token,
        address payer,
        uint256 word,
        uint256 value,
        uint256 amount,
        address otherToken,
        address other,
        uint256 otherWord
    ) external {
        vm.assume(value < BIT);
        _keep(token, payer, word, otherToken, other, otherWord);
        vm.deal(payer, value);
        vm.prank(payer);
        (bool ok,) = address(_books).call{value: value}(abi.encodeCall(Books.collect, (token, amount)));
        unchecked {
            uint256 available = (word & CREDIT) + value;
            assert(ok == ((token == address(0) || value == 0) && amount <= available && available - amount < BIT));
            if (ok) _checkWord(token, payer, word, available - amount);
            else assert(_books.wordOf(token, payer) == word);
        }
        _checkOther();
    }

    function check_move(
        address token,
        address from,
        address to,
        uint256 fromWord,
        uint256 toWord,
        uint256 amount,
        address otherToken,
        address other,
        uint256 otherWord
    ) external {
        vm.assume(from != to);
        vm.assume(otherToken != token || other != to);
        _keep(token, from, fromWord, otherToken, other, otherWord);
        _books.put(token, to, toWord);
        vm.prank(from);
        (bool ok,) = address(_books).call(abi.encodeCall(Books.move, (token, amount, to)));
        assert(ok == (to != address(0) && amount <= fromWord & CREDIT && _fits(toWord, amount)));
        unchecked {
            if (ok) {
                _checkWord(token, from, fromWord, (fromWord & CREDIT) - amount);
                _checkWord(token, to, toWord, (toWord & CREDIT) + amount);
            } else {
                assert(_books.wordOf(token, from) == fromWord && _books.wordOf(token, to) == toWord);
            }
        }
        _checkOther();
    }

    function check_moveToOneself(address token, address from, uint256 word, uint256 amount) external {
        _books.put(token, from, word);
        vm.prank(from);
        (bool ok,) = address(_books).call(abi.encodeCall(Books.move, (token, amount, from)));
        assert(ok == (from != address(0) && amount <= word & CREDIT));
        assert(_books.wordOf(token, from) == word);
    }

    /// @dev Stores the account that is to change, and another one.
    function _keep(address token, address account, uint256 word, address otherToken, address other, uint256 otherWord)
        private
    {
        vm.assume(token != otherToken || account != other);
        _books.put(token, account, word);
        _books.put(otherToken, other, otherWord);
        (_otherToken, _other, _otherWord) = (otherToken, other, otherWord);
    }

    function _checkOther() private view {
        assert(_books.wordOf(_otherToken, _other) == _otherWord);
    }

    /// @dev The credit is the one expected, and the operator bit the one of `word`.
    function _checkWord(address token, address account, uint256 word, uint256 credit) private view {
        uint256 stored = _books.wordOf(token, account);
        assert(credit < BIT);
        assert(stored & CREDIT == credit);
        assert(stored & BIT == word & BIT);
    }

    /// @dev Whether a credit can grow by `amount` and stay below the bit.
    function _fits(uint256 word, uint256 amount) private pure returns (bool) {
        return amount < BIT && (word & CREDIT) + amount < BIT;
    }
}
