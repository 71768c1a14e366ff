// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {IModelRegistry} from "../../../contracts/interfaces/IModelRegistry.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {IVerifier} from "../../../contracts/interfaces/IVerifier.sol";
import {IVerifierRouter} from "../../../contracts/interfaces/IVerifierRouter.sol";
import {Gate, Request} from "../../../contracts/types/Request.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {IListener, Mood} from "../actors/Consumer.sol";
import {CutToken, PlainToken} from "../actors/Tokens.sol";
import {Test} from "../Test.sol";

/// @title The contracts, the actors, and what the protocol should know of them
/// @dev Everything here that is not a contract is the model: it is updated from the words of INVARIANTS.md, never read
/// back from the hub, and `Comparing` holds the two together.
abstract contract World is Test, IListener {
    enum RouteState {
        Unknown,
        Live,
        Tombstoned
    }

    struct Item {
        Request terms;
        bytes32 id;
        address operator;
        Status status;
        bool callbackFailed;
        bool proven;
        uint8 answer;
        uint40 deliveredAt;
        address challenger;
        uint40 challengedAt;
        uint40 settledAt;
    }

    uint40 internal constant UNBOND_DELAY = 1 hours;
    address internal constant NATIVE = address(0);
    address internal constant OWNER = address(0x0ee1);
    address internal constant STRANGER = address(0x57a4);
    uint256 internal constant FIRST_KEY = 0xa11ce;
    uint256 internal constant OPERATORS = 4;
    uint256 internal constant TOKENS = 3;
    /// @dev How many outputs a model can have for one input, two of them too many.
    uint256 internal constant ANSWERS = 3;
    bytes internal constant INPUT = "what is the risk?";
    /// @dev Enough to call the hub back, enough to listen, and enough for nothing.
    uint256 internal constant LARGE_CALLBACK = 3_800_000;
    uint256 internal constant MEDIUM_CALLBACK = 700_000;
    uint256 internal constant SMALL_CALLBACK = 1_000;

    IInferenceHub public immutable HUB;
    INodeRegistry public immutable NODES;
    IModelRegistry public immutable MODELS;
    IVerifierRouter public immutable ROUTER;
    PlainToken public immutable PLAIN;
    CutToken public immutable CUT;

    address[] internal _tokens;
    /// @dev Operators, consumers, an account without code, a stranger; the registry is the last.
    address[] internal _accounts;
    /// @dev Those that ask: consumers, and operators that deal with themselves.
    address[] internal _consumers;
    bytes4[] internal _routes;
    bytes32[] internal _models;
    Item[] internal _items;
    /// @dev Indices of the items that have not ended, and where each of them is in this list.
    uint256[] internal _alive;
    mapping(uint256 index => uint256) private _place;

    mapping(address token => mapping(address account => uint256)) public credit;
    /// @notice Sum of `credit`, fees and bonds of what has not ended, gifts to the hub and to the registry.
    mapping(address token => uint256) public credits;
    mapping(address token => uint256) public escrow;
    mapping(address token => uint256) public donated;
    mapping(address token => uint256) public givenToRegistry;
    mapping(address operator => bool) public registered;
    mapping(address operator => mapping(address token => INodeRegistry.Stake)) internal _stakes;
    /// @dev What an operator lost for contradicting itself about a request, without having delivered it.
    mapping(bytes32 id => mapping(address operator => uint256)) internal _reported;
    mapping(address operator => mapping(bytes32 modelId => mapping(address token => INodeRegistry.Price))) internal
        _prices;
    mapping(bytes4 route => RouteState) internal _routeState;
    mapping(bytes32 modelId => bool) internal _published;
    mapping(address operator => uint256) internal _keys;
    mapping(address consumer => Mood) internal _moods;

    constructor() {
        // By name instead of `new`: this one is large and need not be compiled again when one of them changes.
        ROUTER = IVerifierRouter(vm.deployCode("VerifierRouter.sol:VerifierRouter", abi.encode(OWNER)));
        MODELS = IModelRegistry(vm.deployCode("ModelRegistry.sol:ModelRegistry"));
        HUB = IInferenceHub(vm.deployCode("InferenceHub.sol:InferenceHub", abi.encode(ROUTER, MODELS, UNBOND_DELAY)));
        NODES = HUB.NODES();
        PLAIN = PlainToken(vm.deployCode("Tokens.sol:PlainToken"));
        CUT = CutToken(vm.deployCode("Tokens.sol:CutToken", abi.encode(HUB)));
        _tokens = [NATIVE, address(PLAIN), address(CUT)];
        vm.warp(1_800_000_000);

        for (uint256 i; i < OPERATORS; ++i) {
            address operator = vm.addr(FIRST_KEY + i);
            _keys[operator] = FIRST_KEY + i;
            _accounts.push(operator);
            vm.prank(operator);
            NODES.register("https://node.example");
            registered[operator] = true;
        }
        // Has a key and nothing else.
        _keys[vm.addr(FIRST_KEY + OPERATORS)] = FIRST_KEY + OPERATORS;
        for (uint256 i; i < 4; ++i) {
            _consumers.push(_newConsumer());
            _accounts.push(_consumers[i]);
        }
        _consumers.push(address(0xe0a));
        _accounts.push(address(0xe0a));
        // Two operators ask as well; one of them has code (EIP-7702).
        vm.etch(_accounts[1], _newConsumer().code);
        _consumers.push(_accounts[0]);
        _consumers.push(_accounts[1]);
        _accounts.push(STRANGER);
        _accounts.push(address(NODES));

        // Nobody has these yet, or ever: a request may name them all the same.
        _routes = [bytes4(0), bytes4("LATE")];
        _models = [bytes32("never published")];
        for (uint256 i; i < 3; ++i) {
            _addRoute();
            _publish();
        }
    }

    function _newConsumer() private returns (address) {
        return vm.deployCode("Consumer.sol:Consumer", abi.encode(HUB, this));
    }

    function _addRoute() internal {
        bytes4 route = _routeState["LATE"] == RouteState.Unknown && _routes.length > 8
            ? bytes4("LATE")
            : bytes4(uint32(0x53470000 + _routes.length));
        IVerifier verifier = IVerifier(vm.deployCode("SignatureVerifier.sol:SignatureVerifier", abi.encode(HUB)));
        vm.prank(OWNER);
        ROUTER.add(route, verifier, "Signed");
        _routeState[route] = RouteState.Live;
        if (route != "LATE") _routes.push(route);
    }

    function _publish() internal {
        bytes memory manifest = abi.encode("model", _models.length);
        MODELS.publish("model", manifest);
        _published[keccak256(manifest)] = true;
        _models.push(keccak256(manifest));
    }

    /// @dev Adds a request that the hub took; the fee is paid already.
    function _record(Request memory terms) internal returns (bytes32 id) {
        id = keccak256(abi.encode(block.chainid, HUB, terms));
        escrow[terms.token] += terms.fee;
        _place[_items.length] = _alive.length;
        _alive.push(_items.length);
        Item storage item = _items.push();
        (item.terms, item.id, item.status) = (terms, id, Status.Requested);
    }

    /// @dev The one place where an item ends; the fee is no longer held for it.
    function _end(uint256 index, Status status) internal {
        Item storage item = _items[index];
        assertTrue(status != item.status && _isAlive(item.status), "ended twice");
        escrow[item.terms.token] -= item.terms.fee;
        (item.status, item.callbackFailed) = (status, false);
        uint256 last = _alive[_alive.length - 1];
        _alive[_place[index]] = last;
        _place[last] = _place[index];
        _alive.pop();
    }

    function _isOpen(Status status) internal pure returns (bool) {
        return status == Status.Delivered || status == Status.Challenged;
    }

    function _isAlive(Status status) internal pure returns (bool) {
        return status == Status.Requested || _isOpen(status);
    }

    /// @dev The last second that belongs to the side that is named late.
    function _deadline(Item storage item) internal view returns (uint256) {
        if (item.status == Status.Requested) return item.terms.deliverBy;
        if (item.status == Status.Challenged) return item.challengedAt + uint256(item.terms.proveWithin);
        uint256 window = item.terms.window;
        return item.deliveredAt + (window == 0 ? item.terms.proveWithin : window);
    }

    /// @dev True if only a seal settles it.
    function _isSealDue(Item storage item) internal view returns (bool) {
        return item.status == Status.Challenged || item.terms.window == 0;
    }

    /// @dev True if the consumer is called when its request gets into this state.
    function _isTold(Request memory terms, Status status) internal pure returns (bool) {
        return terms.callbackGas != 0 && (status == Status.Settled || terms.gate == Gate.OnDelivery);
    }

    function _routeFault(bytes4 route) internal view returns (bytes4) {
        RouteState state = _routeState[route];
        if (state == RouteState.Unknown) return IVerifierRouter.UnknownRoute.selector;
        return state == RouteState.Tombstoned ? IVerifierRouter.RouteIsTombstoned.selector : bytes4(0);
    }

    function _beneficiary(Request memory terms) internal pure returns (address) {
        return terms.refundTo == address(0) ? terms.consumer : terms.refundTo;
    }

    function _output(uint256 answer) internal pure returns (bytes memory) {
        return abi.encode("answer", answer);
    }

    function _token(uint256 seed) internal view returns (address) {
        return _tokens[pick(seed, "token", TOKENS)];
    }

    function _operator(uint256 seed, bytes32 label) internal view returns (address) {
        return _accounts[pick(seed, label, OPERATORS)];
    }

    function _recentRoute(uint256 seed) internal view returns (bytes4) {
        return _routes[_routes.length - 1 - pick(seed, "route", 3)];
    }

    /// @dev One that lives if a few tries find one.
    function _liveRoute(uint256 seed) internal view returns (bytes4 route) {
        for (uint256 i; i < 4; ++i) {
            route = _recentRoute(reseed(seed, bytes32(i)));
            if (_routeState[route] == RouteState.Live) break;
        }
    }

    function _mint(address token, address to, uint256 amount) internal {
        if (token == address(PLAIN)) PLAIN.mint(to, amount);
        else CUT.mint(to, amount);
    }

    function _arriving(address token, uint256 amount) internal view returns (uint256) {
        return token == address(CUT) ? CUT.afterCut(amount) : amount;
    }

    /// @dev Zero and one now and then, and otherwise anything up to the limit.
    function _amount(uint256 seed, bytes32 label, uint256 max) internal pure returns (uint256) {
        uint256 edge = pick(seed, label, 16);
        return edge < 2 ? edge : 1 + pick(reseed(seed, label), label, max);
    }
}
