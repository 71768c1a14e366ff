// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IInferenceHub} from "./interfaces/IInferenceHub.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";

/// @title Vouch node registry
contract NodeRegistry is INodeRegistry {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    uint256 public constant MAX_ENDPOINT = 256;

    /// @notice The hub, whose ledger holds the stake.
    IInferenceHub public immutable HUB;
    /// @inheritdoc INodeRegistry
    uint40 public immutable UNBOND_DELAY;

    mapping(address operator => Node) private _nodes;
    mapping(address operator => mapping(bytes32 modelId => mapping(address token => Price))) private _prices;
    mapping(address operator => mapping(address token => Stake)) private _stakes;

    modifier onlyHub() {
        if (msg.sender != address(HUB)) revert NotHub(msg.sender, address(HUB));
        _;
    }

    constructor(IInferenceHub hub, uint40 unbondDelay) {
        HUB = hub;
        UNBOND_DELAY = unbondDelay;
    }

    /// @inheritdoc INodeRegistry
    function register(string calldata endpoint) external {
        uint256 size = bytes(endpoint).length;
        if (size == 0 || size > MAX_ENDPOINT) revert BadEndpointSize(size, MAX_ENDPOINT);

        _nodes[msg.sender] = Node(uint40(block.timestamp), endpoint);
        emit Registered(msg.sender, endpoint);
        HUB.setOperator(msg.sender, true);
    }

    /// @inheritdoc INodeRegistry
    function retire() external {
        if (!isRegistered(msg.sender)) revert UnregisteredOperator(msg.sender);

        delete _nodes[msg.sender];
        emit Retired(msg.sender);
        HUB.setOperator(msg.sender, false);
    }

    /// @inheritdoc INodeRegistry
    function setPrice(bytes32 modelId, address token, uint96 base, uint64 perCallbackGas) external {
        if (!isRegistered(msg.sender)) revert UnregisteredOperator(msg.sender);

        _prices[msg.sender][modelId][token] = Price(true, base, perCallbackGas);
        emit PriceSet(msg.sender, modelId, token, base, perCallbackGas);
    }

    /// @inheritdoc INodeRegistry
    function removePrice(bytes32 modelId, address token) external {
        if (!_prices[msg.sender][modelId][token].offered) revert PriceNotOffered(msg.sender, modelId, token);

        delete _prices[msg.sender][modelId][token];
        emit PriceRemoved(msg.sender, modelId, token);
    }

    /// @inheritdoc INodeRegistry
    function stake(address token, uint256 amount) external payable {
        if (amount == 0) revert ZeroAmount();
        uint256 expected = token == address(0) ? amount : 0;
        if (msg.value != expected) revert WrongValue(msg.value, expected);

        if (token != address(0)) {
            uint256 before = IERC20(token).balanceOf(address(this));
            IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
            amount = IERC20(token).balanceOf(address(this)) - before;
            IERC20(token).forceApprove(address(HUB), amount);
        }
        uint256 received = HUB.deposit{value: expected}(token, amount, address(this));
        _stakes[msg.sender][token].bonded += received.toUint128();
        emit Staked(msg.sender, token, received);
    }

    /// @inheritdoc INodeRegistry
    function unbond(address token, uint256 amount) external {
        Stake storage s = _stakes[msg.sender][token];
        if (amount == 0) revert ZeroAmount();
        uint256 free = s.bonded - s.exposed;
        if (amount > free) revert InsufficientStake(free, amount);

        uint40 releaseAt = uint40(block.timestamp) + UNBOND_DELAY;
        s.bonded -= uint128(amount);
        s.unbonding += uint128(amount);
        s.releaseAt = releaseAt;
        emit Unbonding(msg.sender, token, amount, releaseAt);
    }

    /// @inheritdoc INodeRegistry
    function lock(address operator, address token, uint256 amount) external onlyHub {
        Stake storage s = _stakes[operator][token];
        uint256 exposed = s.exposed;
        uint256 free = s.bonded - exposed;
        if (amount > free) revert UncoveredExposure(operator, token, free, amount);

        s.exposed = uint128(exposed + amount);
    }

    /// @inheritdoc INodeRegistry
    function release(address operator, address token, uint256 amount) external onlyHub {
        _stakes[operator][token].exposed -= uint128(amount);
    }

    /// @inheritdoc INodeRegistry
    function slash(address operator, address token, uint256 amount) external onlyHub {
        Stake storage s = _stakes[operator][token];

        s.exposed -= uint128(amount);
        s.bonded -= uint128(amount);
        emit Slashed(operator, token, amount);
    }

    /// @inheritdoc INodeRegistry
    function slashFree(address operator, address token, uint256 amount) external onlyHub returns (uint256 taken) {
        Stake storage s = _stakes[operator][token];
        uint256 fromBonded = Math.min(amount, s.bonded - s.exposed);
        uint256 fromUnbonding = Math.min(amount - fromBonded, s.unbonding);
        taken = fromBonded + fromUnbonding;

        s.bonded -= uint128(fromBonded);
        s.unbonding -= uint128(fromUnbonding);
        emit Slashed(operator, token, taken);
    }

    /// @inheritdoc INodeRegistry
    function withdrawStake(address token, address to) external {
        Stake storage s = _stakes[msg.sender][token];
        uint256 amount = s.unbonding;
        if (amount == 0) revert ZeroAmount();
        if (block.timestamp < s.releaseAt) revert StillUnbonding(s.releaseAt, block.timestamp);

        s.unbonding = 0;
        s.releaseAt = 0;
        emit StakeWithdrawn(msg.sender, token, amount, to);
        HUB.withdraw(token, amount, to);
    }

    /// @inheritdoc INodeRegistry
    function nodeOf(address operator) external view returns (Node memory) {
        return _nodes[operator];
    }

    /// @inheritdoc INodeRegistry
    function isRegistered(address operator) public view returns (bool) {
        return _nodes[operator].since != 0;
    }

    /// @inheritdoc INodeRegistry
    function priceOf(address operator, bytes32 modelId, address token) external view returns (Price memory) {
        return _prices[operator][modelId][token];
    }

    /// @inheritdoc INodeRegistry
    function quote(address operator, bytes32 modelId, address token, uint256 callbackGas)
        external
        view
        returns (uint256)
    {
        Price memory price = _prices[operator][modelId][token];
        if (!price.offered) revert PriceNotOffered(operator, modelId, token);
        return price.base + price.perCallbackGas * callbackGas;
    }

    /// @inheritdoc INodeRegistry
    function stakeOf(address operator, address token) external view returns (Stake memory) {
        return _stakes[operator][token];
    }

    /// @inheritdoc INodeRegistry
    function freeStakeOf(address operator, address token) external view returns (uint256) {
        Stake storage s = _stakes[operator][token];
        return s.bonded - s.exposed;
    }
}
