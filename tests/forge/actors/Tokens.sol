// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ILedger} from "../../../contracts/interfaces/ILedger.sol";

/// @title A token like most
contract PlainToken is ERC20("Plain", "PLN") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @title A token that keeps one percent of every transfer and calls the hub from inside a deposit
contract CutToken is ERC20("Cut", "CUT") {
    ILedger public immutable HUB;
    /// @notice How often the hub took a deposit in the middle of another: each would be counted twice.
    uint256 public intrusions;
    bool private _inside;

    constructor(ILedger hub) {
        HUB = hub;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice What arrives of an amount.
    function afterCut(uint256 amount) public pure returns (uint256) {
        return amount - amount / 100;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (from == address(0) || to == address(0)) return super._update(from, to, amount);
        uint256 arriving = afterCut(amount);
        super._update(from, to, arriving);
        super._update(from, address(0), amount - arriving);
        if (msg.sender == address(HUB) && to == address(HUB) && !_inside) {
            _inside = true;
            _mint(address(this), 1000);
            _approve(address(this), address(HUB), 1000);
            try HUB.deposit(address(this), 1000, from) {
                ++intrusions;
            } catch {}
            _inside = false;
        }
    }
}
