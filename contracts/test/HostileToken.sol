// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ILedger} from "../interfaces/ILedger.sol";

/// @title An ERC-20 token that misbehaves in the way it was told to
contract HostileToken is ERC20 {
    enum Mode {
        Honest,
        Tax, // a tenth of every transfer goes nowhere
        ReturnFalse, // moves nothing and says so
        ReturnNothing, // moves, but returns no bool, like the first tokens
        ReturnFalseAfterMoving,
        Inflate, // says that everybody owns `claimed` more after each transfer
        Reenter // deposits into the ledger from inside of transferFrom
    }

    Mode public mode;
    uint256 public claimed;
    ILedger public ledger;
    uint256 private _lie;

    constructor() ERC20("Hostile", "HOST") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setMode(Mode mode_, uint256 claimed_, ILedger ledger_) external {
        (mode, claimed, ledger) = (mode_, claimed_, ledger_);
    }

    function balanceOf(address account) public view override returns (uint256) {
        return super.balanceOf(account) + _lie;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        if (mode == Mode.ReturnFalse) return false;
        super.transfer(to, amount);
        return _after(to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (mode == Mode.ReturnFalse) return false;
        super.transferFrom(from, to, amount);
        if (mode == Mode.Reenter) ledger.deposit(address(this), amount, from);
        return _after(to, amount);
    }

    function _after(address to, uint256 amount) private returns (bool) {
        if (mode == Mode.Tax) _burn(to, amount / 10);
        if (mode == Mode.Inflate) _lie += claimed;
        if (mode == Mode.ReturnNothing) {
            assembly ("memory-safe") {
                return(0, 0)
            }
        }
        return mode != Mode.ReturnFalseAfterMoving;
    }
}
