// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Operators: where they answer, what they ask, what they stake
/// @notice Stake is held as the registry's own credit in the hub's ledger, so no token moves when it is taken.
interface INodeRegistry {
    struct Node {
        /// Unix seconds of the latest registration; zero: not registered.
        uint40 since;
        /// Base URL of the operator's node.
        string endpoint;
    }

    struct Price {
        bool offered;
        /// Token units per request.
        uint96 base;
        /// Token units per unit of callback gas.
        uint64 perCallbackGas;
    }

    struct Stake {
        /// Token units that stand behind the operator's results.
        uint128 bonded;
        /// Token units of `bonded` that are locked for results whose proof is out; never more than `bonded`.
        uint128 exposed;
        /// Token units on their way out.
        uint128 unbonding;
        /// Unix seconds from which the unbonding part can be withdrawn; zero: nothing is unbonding.
        uint40 releaseAt;
    }

    event Registered(address indexed operator, string endpoint);
    event Retired(address indexed operator);
    event PriceSet(
        address indexed operator, bytes32 indexed modelId, address indexed token, uint96 base, uint64 perCallbackGas
    );
    event PriceRemoved(address indexed operator, bytes32 indexed modelId, address indexed token);
    event Staked(address indexed operator, address indexed token, uint256 amount);
    event Unbonding(address indexed operator, address indexed token, uint256 amount, uint40 releaseAt);
    event Slashed(address indexed operator, address indexed token, uint256 amount);
    event StakeWithdrawn(address indexed operator, address indexed token, uint256 amount, address to);

    /// @notice The operator is not registered. It must call `register` first.
    error UnregisteredOperator(address operator);
    /// @notice The operator does not offer this model in this token.
    error PriceNotOffered(address operator, bytes32 modelId, address token);
    /// @notice The endpoint is empty or over the limit, in bytes.
    error BadEndpointSize(uint256 size, uint256 max);
    /// @notice More than is there was asked for, in token units.
    error InsufficientStake(uint256 available, uint256 wanted);
    /// @notice The operator's free stake does not cover what the terms want locked, in token units: stake more, wait until
    /// other results settle, or bring the seal at once with `fulfil`.
    error UncoveredExposure(address operator, address token, uint256 free, uint256 wanted);
    /// @notice Only the hub locks, releases and slashes.
    error NotHub(address caller, address hub);
    /// @notice The unbonding delay is not over, unix seconds.
    error StillUnbonding(uint256 releaseAt, uint256 now_);
    /// @notice Native value and amount differ (or value came with an ERC-20 token).
    error WrongValue(uint256 received, uint256 expected);
    /// @notice Amounts must be positive.
    error ZeroAmount();

    /// @notice Registers the caller, or moves its endpoint.
    function register(string calldata endpoint) external;

    /// @notice Ends the registration; stake stays and can be unbonded.
    function retire() external;

    /// @notice Offers a model at a price; replaces an earlier price.
    function setPrice(bytes32 modelId, address token, uint96 base, uint64 perCallbackGas) external;

    /// @notice Withdraws an offer.
    function removePrice(bytes32 modelId, address token) external;

    /// @notice Adds stake for the caller: native by value, ERC-20 by allowance. What arrives counts.
    function stake(address token, uint256 amount) external payable;

    /// @notice Starts taking stake out; a second call adds to the amount and restarts the delay. What is locked for open
    /// results stays; what is on its way out can still be slashed for an equivocation. The delay binds the honest way out
    /// only: an operator can have free stake slashed in favour of itself, so what insures a consumer is what is locked.
    function unbond(address token, uint256 amount) external;

    /// @notice Locks stake for a result without a proof; reverts with UncoveredExposure. Hub only.
    function lock(address operator, address token, uint256 amount) external;

    /// @notice Frees what was locked. Hub only.
    function release(address operator, address token, uint256 amount) external;

    /// @notice Takes what was locked: the hub moves it from this registry's credit to whom it belongs. Hub only.
    function slash(address operator, address token, uint256 amount) external;

    /// @notice Takes what is not locked, up to `amount`: bonded stake first, then what is on its way out. Hub only.
    /// @return taken Token units, which the hub moves to whom they belong.
    function slashFree(address operator, address token, uint256 amount) external returns (uint256 taken);

    /// @notice Pays out everything unbonded, after the delay.
    function withdrawStake(address token, address to) external;

    /// @notice Registration of an operator.
    function nodeOf(address operator) external view returns (Node memory);

    /// @notice True if the operator is registered now.
    function isRegistered(address operator) external view returns (bool);

    /// @notice An operator's offer.
    function priceOf(address operator, bytes32 modelId, address token) external view returns (Price memory);

    /// @notice Token units that the operator asks for one request; reverts with PriceNotOffered.
    function quote(address operator, bytes32 modelId, address token, uint256 callbackGas)
        external
        view
        returns (uint256);

    /// @notice Stake of an operator.
    function stakeOf(address operator, address token) external view returns (Stake memory);

    /// @notice Token units that can be locked for further results, or unbonded.
    function freeStakeOf(address operator, address token) external view returns (uint256);

    /// @notice Seconds between `unbond` and `withdrawStake`.
    function UNBOND_DELAY() external view returns (uint40);
}
