// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {InferenceHub} from "../../../contracts/InferenceHub.sol";
import {ModelRegistry} from "../../../contracts/ModelRegistry.sol";
import {NodeRegistry} from "../../../contracts/NodeRegistry.sol";
import {VerifierRouter} from "../../../contracts/VerifierRouter.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {IVerifier} from "../../../contracts/interfaces/IVerifier.sol";
import {Request} from "../../../contracts/types/Request.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {Consumer, Mood} from "../actors/Consumer.sol";
import {CutToken, PlainToken} from "../actors/Tokens.sol";
import {Test} from "../Test.sol";

/// @title The contracts, the actors, and what the protocol should know of them
/// @dev Everything here that is not a contract is the model: it is updated from the words of INVARIANTS.md, never read
/// back from the hub, and the invariants compare the two.
abstract contract World is Test {
    enum RouteState {
        Unknown,
        Live,
        Tombstoned
    }

    struct Item {
        Request terms;
        bytes32 id;
        Status status;
        bool callbackFailed;
        address operator;
        bytes output;
        uint256 settledAt;
    }

    uint40 internal constant UNBOND_DELAY = 6 hours;
    address internal constant NATIVE = address(0);
    address internal constant OWNER = address(0x0ee1);
    address internal constant STRANGER = address(0x57a4);
    uint256 internal constant FIRST_KEY = 0xa11ce;
    uint256 internal constant OPERATORS = 4;
    /// @dev Enough for everything a consumer does here; the other size is enough for nothing.
    uint256 internal constant LARGE_CALLBACK = 1_500_000;
    uint256 internal constant SMALL_CALLBACK = 1_000;

    InferenceHub public immutable HUB;
    NodeRegistry public immutable NODES;
    ModelRegistry public immutable MODELS;
    VerifierRouter public immutable ROUTER;
    PlainToken public immutable PLAIN;
    CutToken public immutable CUT;

    address[] public tokens;
    /// @dev Operators first, then consumers (the last one an account without code), then the registry.
    address[] public accounts;
    address[] internal _consumers;
    bytes4[] internal _routes;
    bytes32[] internal _models;
    Item[] internal _items;

    mapping(address token => mapping(address account => uint256)) public credit;
    mapping(address token => uint256) public escrow;
    mapping(address token => uint256) public donated;
    mapping(address token => uint256) public givenToRegistry;
    mapping(address operator => bool) public registered;
    mapping(address operator => mapping(address token => INodeRegistry.Stake)) internal _stakes;
    mapping(bytes4 route => RouteState) internal _routeState;
    mapping(bytes32 modelId => bool) internal _published;
    mapping(address operator => uint256) internal _keys;

    uint256 public steps;
    /// @notice How often an interesting thing happened in this run.
    mapping(string what => uint256) public reached;

    error Unexpected(string action, bytes4 received, bytes4 expected, bytes reason);

    modifier step() {
        ++steps;
        _;
    }

    constructor() {
        // By name instead of `new`: the compiler would optimise the contracts again as parts of this one.
        ROUTER = VerifierRouter(vm.deployCode("VerifierRouter.sol:VerifierRouter", abi.encode(OWNER)));
        MODELS = ModelRegistry(vm.deployCode("ModelRegistry.sol:ModelRegistry"));
        HUB = InferenceHub(vm.deployCode("InferenceHub.sol:InferenceHub", abi.encode(ROUTER, MODELS, UNBOND_DELAY)));
        NODES = NodeRegistry(address(HUB.NODES()));
        PLAIN = PlainToken(vm.deployCode("Tokens.sol:PlainToken"));
        CUT = CutToken(vm.deployCode("Tokens.sol:CutToken", abi.encode(HUB)));
        tokens = [NATIVE, address(PLAIN), address(CUT)];
        vm.warp(1_800_000_000);

        for (uint256 i; i < OPERATORS; ++i) {
            address operator = vm.addr(FIRST_KEY + i);
            _keys[operator] = FIRST_KEY + i;
            accounts.push(operator);
            vm.prank(operator);
            NODES.register("https://node.example");
            registered[operator] = true;
        }
        for (uint256 i; i < 4; ++i) {
            _consumers.push(vm.deployCode("Consumer.sol:Consumer", abi.encode(HUB)));
        }
        _consumers.push(address(0xe0a));
        for (uint256 i; i < _consumers.length; ++i) {
            accounts.push(_consumers[i]);
        }
        accounts.push(address(NODES));

        // Nobody has these yet, or ever: a request may name them all the same.
        _routes = [bytes4(0), bytes4("LATE")];
        _models = [bytes32("never published")];
        for (uint256 i; i < 3; ++i) {
            _addRoute();
            _publish();
        }
    }

    function itemCount() external view returns (uint256) {
        return _items.length;
    }

    function itemAt(uint256 index) external view returns (Item memory) {
        return _items[index];
    }

    function accountCount() external view returns (uint256) {
        return accounts.length;
    }

    function tokenCount() external view returns (uint256) {
        return tokens.length;
    }

    function stakeAt(address operator, address token) external view returns (INodeRegistry.Stake memory) {
        return _stakes[operator][token];
    }

    function _addRoute() internal {
        bytes4 route = _routeState["LATE"] == RouteState.Unknown && _routes.length > 4
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

    /// @dev An index of an item in this state, or of any if there is none; callers see to it that there is an item.
    function _find(uint256 seed, Status status) internal view returns (uint256) {
        uint256 start = pick(seed, "item", _items.length);
        for (uint256 i; i < _items.length; ++i) {
            uint256 index = (start + i) % _items.length;
            if (_items[index].status == status) return index;
        }
        return start;
    }

    /// @dev An index of an item that may still be answered, or of any.
    function _findOpen(uint256 seed) internal view returns (uint256) {
        uint256 start = pick(seed, "item", _items.length);
        for (uint256 i; i < _items.length; ++i) {
            uint256 index = (start + i) % _items.length;
            Item storage item = _items[index];
            if (item.status == Status.Requested && item.terms.deliverBy >= block.timestamp) return index;
        }
        return start;
    }

    function _account(uint256 seed, string memory label) internal view returns (address) {
        return accounts[pick(seed, label, accounts.length)];
    }

    function _token(uint256 seed) internal view returns (address) {
        return tokens[pick(seed, "token", tokens.length)];
    }

    function _operator(uint256 seed, string memory label) internal view returns (address) {
        return accounts[pick(seed, label, OPERATORS)];
    }

    function _recentRoute(uint256 seed) internal view returns (bytes4) {
        return _routes[_routes.length - 1 - pick(seed, "route", 3)];
    }

    function _mint(address token, address to, uint256 amount) internal {
        if (token == address(PLAIN)) PLAIN.mint(to, amount);
        else if (token == address(CUT)) CUT.mint(to, amount);
        else vm.deal(to, to.balance + amount);
    }

    function _arriving(address token, uint256 amount) internal view returns (uint256) {
        return token == address(CUT) ? CUT.afterCut(amount) : amount;
    }

    function _give(address token, address to, uint256 amount) internal {
        credit[token][to] += amount;
        if (to == address(NODES)) givenToRegistry[token] += amount;
    }

    function _moodOf(address consumer) internal view returns (Mood) {
        return consumer.code.length == 0 ? Mood.Refuse : Consumer(payable(consumer)).mood();
    }

    /// @dev The call ended as the model says: with this error, or well if `expected` is zero.
    function _expect(string memory action, bool ok, bytes memory reason, bytes4 expected) internal {
        bytes4 received = ok ? bytes4(0) : selectorOf(reason);
        if (ok != (expected == 0) || received != expected) revert Unexpected(action, received, expected, reason);
        ++reached[expected == 0 ? action : string.concat(action, " refused")];
    }
}
