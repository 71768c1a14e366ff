// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {Request} from "../../../contracts/types/Request.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {Asking} from "./Asking.sol";
import {Reporting} from "./Reporting.sol";

/// @title Silence has one default in each phase, and anyone may trigger it
abstract contract Ending is Asking, Reporting {
    /// @notice A stranger looks for a request that is due to end and tries every way to end it.
    function _doEnd(uint256 seed) internal {
        if (_alive.length == 0) return;
        uint256 start = pick(seed, "item", _alive.length);
        uint256 index;
        for (uint256 i; i < 16; ++i) {
            index = _alive[(start + i) % _alive.length];
            if (block.timestamp > _deadline(_items[index])) break;
        }
        _tryEnds(index, _sender(seed), seed);
    }

    /// @dev Once its deadline has passed, or as soon as nobody can answer, there is one way out for a sender with empty
    /// hands, and before there is none. What must be refused goes first.
    function _tryEnds(uint256 index, address sender, uint256 seed) internal {
        Item storage item = _items[index];
        Named memory n = _trueName(index);
        Attempt memory a = _attempt(index, 0);
        bool isOpen = _isOpen(item.status);
        bytes4 wrongStatus = IInferenceHub.WrongStatus.selector;
        bytes4[4] memory faults = [
            isOpen ? wrongStatus : _expireFault(index),
            isOpen ? _settleFault(a) : wrongStatus,
            isOpen ? _rejectFault(index) : wrongStatus,
            isOpen ? _expireDeliveredFault(index) : wrongStatus
        ];
        bool isLost = _routeFault(n.terms.route) != 0 || (!isOpen && !_published[n.terms.modelId]);
        bool isDue = isLost || block.timestamp > _deadline(item);
        uint256 ways;
        for (uint256 i; i < 4; ++i) {
            if (faults[i] == 0) ++ways;
        }
        assertEq(ways, isDue ? 1 : 0, "ways out");
        if (faults[1] == 0) faults[1] = _gasFault(seed, n.terms, Status.Settled);
        if (faults[2] == 0) faults[2] = _gasFault(seed, n.terms, Status.Rejected);
        if (faults[3] == 0) faults[3] = _gasFault(seed, n.terms, Status.Expired);
        // The clear case saves time.
        bool isShort = !isOpen && isDue && index % 4 != 0;
        for (uint256 pass = isShort ? 1 : 0; pass < 2; ++pass) {
            if ((faults[0] == 0) == (pass == 1)) _expire(index, n.terms, sender, faults[0]);
            if ((faults[1] == 0) == (pass == 1)) _settle(a, sender, faults[1]);
            if ((faults[2] == 0) == (pass == 1)) _reject(n, sender, faults[2]);
            if ((faults[3] == 0) == (pass == 1)) _expireDelivered(n, sender, faults[3]);
        }
    }
}
