// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {Gap} from "../../../contracts/types/Gap.sol";
import {Request} from "../../../contracts/types/Request.sol";
import {Assurance, Status} from "../../../contracts/types/Status.sol";
import {World} from "./World.sol";

/// @title Hub and model hold the same: after each call what it touched, and everything now and then
abstract contract Comparing is World {
    uint256 private constant OPERATOR_BIT = 1 << 255;
    uint256 private constant ITEM = 1;
    uint256 private constant STAKE = 2;
    uint256 private constant ACCOUNT = 3;

    /// @dev What the model changed since the last comparison: kind, token, account or index. A frame that is rolled back
    /// takes its entries with it. Counted from one, so that the slots cost little.
    uint256[64] private _touched;
    uint256 private _count = 1;

    /// @dev Credit of the registry that is no stake is a gift, which nobody can take out.
    function _give(address token, address to, uint256 amount) internal {
        if (to == address(NODES)) givenToRegistry[token] += amount;
        _add(token, to, amount);
    }

    function _add(address token, address to, uint256 amount) internal {
        credit[token][to] += amount;
        credits[token] += amount;
        _touch(ACCOUNT, token, uint160(to));
    }

    function _take(address token, address from, uint256 amount) internal {
        credit[token][from] -= amount;
        credits[token] -= amount;
        _touch(ACCOUNT, token, uint160(from));
    }

    /// @dev For writing.
    function _stake(address operator, address token) internal returns (INodeRegistry.Stake storage) {
        _touch(STAKE, token, uint160(operator));
        return _stakes[operator][token];
    }

    function _setRegistered(address operator, bool to) internal {
        registered[operator] = to;
        _touch(ACCOUNT, NATIVE, uint160(operator));
    }

    /// @dev For writing.
    function _item(uint256 index) internal returns (Item storage) {
        _touch(ITEM, NATIVE, index);
        return _items[index];
    }

    function _compare() internal {
        uint256 tokens;
        for (uint256 i = 1; i < _count; ++i) {
            uint256 entry = _touched[i];
            uint256 kind = entry >> 248;
            uint256 token = uint8(entry >> 240);
            if (kind == ITEM) {
                compareItem(uint160(entry));
                continue;
            }
            if (kind == STAKE) _compareStake(address(uint160(entry)), _tokens[token]);
            else _compareAccount(_tokens[token], address(uint160(entry)));
            if (tokens & 1 << token == 0) compareBalance(_tokens[token]);
            tokens |= 1 << token;
        }
        _count = 1;
    }

    /// @notice What the hub holds of a token is somebody's, or was a gift.
    function compareBalance(address token) public view {
        uint256 balance = token == NATIVE ? address(HUB).balance : IERC20(token).balanceOf(address(HUB));
        assertEq(balance, credits[token] + escrow[token] + donated[token], "balance");
    }

    /// @notice State, assurance and gap of a request.
    function compareItem(uint256 index) public view {
        Item storage item = _items[index];
        Status status = item.status;
        bool isAnswered = _isOpen(status) || status == Status.Settled;
        bytes32 outputHash = keccak256(_output(item.answer));
        bytes32 answer = keccak256(abi.encode(item.id, item.operator, outputHash));
        Assurance memory expected = Assurance({
            status: status,
            callbackFailed: item.callbackFailed,
            proven: item.proven,
            route: item.terms.route,
            deliveredAt: uint32(item.deliveredAt),
            settledAt: uint32(item.settledAt),
            answer: isAnswered ? bytes18(answer) : bytes18(0)
        });
        assertEq(abi.encode(HUB.assuranceOf(item.id)), abi.encode(expected), "assurance");
        assertTrue(HUB.isAnswer(item.id, item.operator, outputHash) == isAnswered, "isAnswer");

        Request memory terms = item.terms;
        Gap memory gap;
        gap.status = status;
        if (_isOpen(status)) {
            if (_isSealDue(item)) gap.proveBy = _deadline(item);
            else gap.challengeBy = _deadline(item);
            gap.insured = terms.exposure;
            gap.challenger = item.challenger;
        }
        assertEq(abi.encode(HUB.gapOf(terms)), abi.encode(gap), "gap");
    }

    /// @notice All accounts and stakes of a token, each exact and in sum.
    function compareToken(address token) external view {
        uint256 sum;
        for (uint256 i; i < _accounts.length; ++i) {
            _compareAccount(token, _accounts[i]);
            sum += credit[token][_accounts[i]];
        }
        assertEq(sum, credits[token], "sum of credits");
        compareBalance(token);

        sum = givenToRegistry[token];
        for (uint256 i; i < OPERATORS; ++i) {
            _compareStake(_accounts[i], token);
            INodeRegistry.Stake storage s = _stakes[_accounts[i]][token];
            assertTrue(NODES.isRegistered(_accounts[i]) == registered[_accounts[i]], "registered");
            assertTrue(s.exposed <= s.bonded, "more exposed than bonded");
            sum += uint256(s.bonded) + s.unbonding;
        }
        assertEq(HUB.creditOf(token, address(NODES)), sum, "credit of the registry");
        uint256 held = token == NATIVE ? address(NODES).balance : IERC20(token).balanceOf(address(NODES));
        assertEq(held, 0, "held by the registry itself");
    }

    /// @notice What is held and locked for open requests is what their terms say, counted from the start.
    function compareOpen() external view {
        uint256[TOKENS] memory held;
        uint256[TOKENS][OPERATORS] memory locked;
        for (uint256 i; i < _alive.length; ++i) {
            Item storage item = _items[_alive[i]];
            uint256 token = _number(item.terms.token);
            held[token] += item.terms.fee;
            if (item.status == Status.Challenged) held[token] += item.terms.bond;
            if (!_isOpen(item.status)) continue;
            for (uint256 o; o < OPERATORS; ++o) {
                if (_accounts[o] == item.operator) locked[o][token] += item.terms.exposure + item.terms.bond;
            }
        }
        for (uint256 t; t < TOKENS; ++t) {
            assertEq(escrow[_tokens[t]], held[t], "escrow");
            for (uint256 o; o < OPERATORS; ++o) {
                assertEq(NODES.stakeOf(_accounts[o], _tokens[t]).exposed, locked[o][t], "exposed");
            }
        }
    }

    /// @dev The whole word, so that the operator bit is seen where it must and must not be.
    function _compareAccount(address token, address account) private view {
        bytes32 slot = keccak256(abi.encode(account, keccak256(abi.encode(token, uint256(0)))));
        uint256 word = uint256(vm.load(address(HUB), slot));
        uint256 expected = credit[token][account];
        if (token == NATIVE && registered[account]) expected |= OPERATOR_BIT;
        assertEq(word, expected, "account");
    }

    function _compareStake(address operator, address token) private view {
        INodeRegistry.Stake memory expected = _stakes[operator][token];
        assertEq(abi.encode(NODES.stakeOf(operator, token)), abi.encode(expected), "stake");
    }

    function _number(address token) private view returns (uint256) {
        return token == NATIVE ? 0 : token == address(PLAIN) ? 1 : 2;
    }

    function _touch(uint256 kind, address token, uint256 what) private {
        uint256 entry = kind << 248 | _number(token) << 240 | what;
        uint256 count = _count;
        for (uint256 i = 1; i < count; ++i) {
            if (_touched[i] == entry) return;
        }
        _touched[count] = entry;
        _count = count + 1;
    }
}
