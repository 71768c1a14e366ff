"""What to do about each error of the contracts, in one line; contracts/interfaces has the long version."""

from collections.abc import Mapping
from types import MappingProxyType

HINTS: Mapping[str, str] = MappingProxyType(
    {
        # hub
        "MalformedTerms": "a word of the terms is no value of its field's type; encode them with the ABI",
        "NotConsumer": "the consumer named in the terms must be the caller of request",
        "WrongInputHash": "set inputHash to keccak256(input)",
        "DeadlineInPast": "deliverBy is in unix seconds and must lie in the future",
        "DeadlineTooFar": "deliverBy is in unix seconds, not milliseconds; name an earlier one",
        "CallbackGasTooHigh": "ask for less callback gas; more would not fit a transaction",
        "RequestExists": "the same terms were requested before; change the salt",
        "UnknownRequest": "no request has these terms; compare them with the Requested event, word by word",
        "WrongStatus": "the request is in another state than this call needs; ask statusOf",
        "DeliverByPassed": "too late to deliver; expire the request to get the fee back",
        "DeliverByNotPassed": "too early to expire; the operator may still deliver",
        "WrongOperator": "the terms name another operator; only its answer counts",
        "WrongRoute": "the seal belongs to another route than the terms name",
        "OutputTooLarge": "shorten the output, or put its hash on chain and the bytes elsewhere",
        "InsufficientGas": "send the transaction with more gas; the callback gets what the terms name",
        "NothingToRetry": "the last callback did not fail, or there was none",
        "WrongAnswer": "the request ended with another output or operator; see the Settled event",
        "NotRegistry": "only the node registry says who is an operator",
        "CallbackReverted": "the consumer's onInference failed again; raise the gas or mend the consumer",
        # ledger
        "InsufficientCredit": "send more value with the call, or deposit first",
        "UnexpectedValue": "send exactly the amount in native tokens, and nothing with an ERC-20 token",
        "TransferFailed": "the receiver refused native tokens; withdraw to another address",
        "BadReceiver": "the hub cannot be the receiver; name another account",
        "CreditOverflow": "one account cannot hold that much of the token",
        "ZeroAccount": "name an account; the zero address cannot own credit",
        # model registry
        "UnknownModel": "publish the manifest (`vouch model publish`), or check the model id",
        "UnknownName": "this publisher gave no model that name; check both (`vouch model list`)",
        "BadManifestSize": "the manifest must not be empty and must stay below the limit",
        "BadNameSize": "a model's name has 1 to 64 bytes",
        # node registry
        "UnregisteredOperator": "the operator must call register first (`vouch node` does)",
        "PriceNotOffered": "the operator offers no such model in this token; ask another, or set a price",
        "BadEndpointSize": "an endpoint has 1 to 256 bytes",
        "InsufficientStake": "less than that is bonded",
        "StillUnbonding": "wait until the unbonding delay is over (unix seconds)",
        "WrongValue": "send exactly the amount in native tokens, and nothing with an ERC-20 token",
        "ZeroAmount": "the amount must be positive",
        # router and verifiers
        "UnknownRoute": "no verifier has this name; add it, or ask on a route that exists",
        "RouteIsTombstoned": "the verifier was withdrawn; expire the request and ask on another route",
        "RouteTaken": "a route is never re-pointed; choose another name",
        "ZeroRoute": "zero is no name for a route",
        "VerifierHasNoCode": "there is no contract at the verifier's address; deploy it first",
        "SealTooShort": "a seal starts with its four route bytes",
        "WrongSealLength": "the route's seals have another layout; see the verifier's natspec",
        "UntrustedOperator": "the terms' trust names another operator; zero admits every registered one",
        "MalleableSignature": "s is in the upper half of the order; use n - s and flip v",
        "WrongSigner": "another key than the operator's signed, or another claim was signed",
        "BadPolicy": "a quorum asks for at least one signature, at most all, of at most 64 signers",
        "WrongPolicy": "the seal was made under another policy than the terms' trust is the hash of",
        "SignersNotAscending": "sort the quorum's signers by address and name nobody twice",
        "TooFewSignatures": "collect as many signatures as the quorum's threshold",
        "NoSuchSigner": "the seal says that somebody signed who is not on the quorum's list",
        "WrongSignerAt": "another key than that signer's signed, or another claim was signed",
        "NotABatchSeal": "a batch seal has 40 bytes and 32 for each level of the tree",
        "RootNotSealed": "call sealRoot first; else the proof is of another claim or another tree",
        # consumers
        "NotHub": "only the hub that the consumer was created with may call it back",
        "UnexpectedStatus": "the consumer has no hook for this transition; override it, or use another gate",
        # OpenZeppelin
        "OwnableUnauthorizedAccount": "only the contract's owner may do this",
        "ReentrancyGuardReentrantCall": "the hub cannot be entered again from a callback; do it later",
        "OwnableInvalidOwner": "that address cannot own the contract",
        "SafeCastOverflowedUintDowncast": "the amount is larger than the contract keeps",
        "SafeERC20FailedOperation": "the token refused the transfer; check balance and allowance",
        # tensor codec
        "Inexact": "the value has digits below the target's scale; round it first",
        "NotFinite": "infinity and NaN have no fixed-point value",
        "OutOfInt256": "the value is too large for a fixed-point word",
        "OutOfRange": "the value does not fit the tensor's type",
        "SliceOutOfRange": "the bytes have fewer elements than that",
        "TooManyDecimals": "use a scale of at most `max` decimals",
        "WrongSize": "the bytes hold another number of elements than the shape says",
        # examples
        "EmptyQuestion": "ask something",
        "IndexOutOfRange": "the output has fewer values than that",
        "LoanTaken": "another borrower has this loan id; use another id",
        "NotAProbability": "the model gave a value outside of 0 to 1",
        "NotWholeWords": "tensor bytes come in words of 32",
        "WrongFeatureCount": "give the model as many features as it takes",
    }
)

PANICS: Mapping[int, str] = MappingProxyType(
    {
        0x01: "an assertion failed",
        0x11: "arithmetic overflow or underflow",
        0x12: "division by zero",
        0x21: "no such enum value",
        0x22: "a storage byte array is encoded badly",
        0x31: "pop of an empty array",
        0x32: "array index out of range",
        0x41: "too much memory",
        0x51: "call of a function that is not set",
    }
)
"""Codes of the compiler's own checks (Solidity documentation, "Panic via assert and Error via require")."""
