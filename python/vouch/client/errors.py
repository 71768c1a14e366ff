"""What can go wrong between a question and its answer."""

from vouch.protocol.errors import VouchError


class NoOperator(VouchError):
    """Nobody offers the model in that token."""

    def __init__(self, model_id: bytes, token: str) -> None:
        self.model_id, self.token = model_id, token
        super().__init__(
            f"no registered operator offers model 0x{model_id.hex()} in token {token}: choose another model "
            "or token, or let an operator set a price (NodeRegistry.setPrice)"
        )


class UnknownModel(VouchError):
    """The name or id leads to no published model."""

    def __init__(self, reference: str, reason: str) -> None:
        self.reference, self.reason = reference, reason
        super().__init__(
            f"unknown model {reference!r}: {reason}; `vouch model list` shows what is published, a model is "
            'named "name" (of the deployment\'s publisher), "0xpublisher/name" or by its 32-byte id'
        )


class UnknownRoute(VouchError):
    """No live verifier has this name."""

    def __init__(self, route: bytes, live: tuple[str, ...]) -> None:
        self.route, self.live = route, live
        super().__init__(f"unknown route {route!r}: this deployment has {', '.join(live) or 'none'}")


class InsufficientFee(VouchError):
    """The fee is below what the operator asks."""

    def __init__(self, received: int, expected: int, operator: str) -> None:
        self.received, self.expected, self.operator = received, expected, operator
        super().__init__(
            f"a fee of {received} is below the {expected} that operator {operator} asks: "
            "raise it, or leave it out to pay the asked price"
        )


class InsufficientFunds(VouchError):
    """The account cannot pay fee and gas."""

    def __init__(self, account: str, received: int, expected: int) -> None:
        self.account, self.received, self.expected = account, received, expected
        super().__init__(
            f"account {account} has {received} wei, but fee and gas can take {expected} wei: "
            f"send it at least {expected - received} wei more"
        )


class DeadlineInPast(VouchError):
    """The answer would have to be there before the question."""

    def __init__(self, received: int, now: int) -> None:
        self.received, self.now = received, now
        super().__init__(
            f"deliver_by {received} is not after the chain's time {now}: give the operator more seconds"
        )


class RequestExpired(VouchError):
    """Nobody answered in time; the fee went back as credit."""

    def __init__(self, request_id: bytes, fee: int, beneficiary: str, tx_hash: bytes | None) -> None:
        self.request_id, self.fee, self.beneficiary, self.tx_hash = request_id, fee, beneficiary, tx_hash
        how = f"this client expired it (transaction 0x{tx_hash.hex()})" if tx_hash else "it was expired"
        super().__init__(
            f"nobody answered request 0x{request_id.hex()} in time: {how} and the fee of {fee} is credit of "
            f"{beneficiary} again; `client.withdraw()` pays it out"
        )


class RequestRejected(VouchError):
    """The answer was shown to be bad; fee and exposure went to the consumer."""

    def __init__(self, request_id: bytes) -> None:
        self.request_id = request_id
        super().__init__(
            f"the answer to request 0x{request_id.hex()} was rejected: fee and exposure are credit of the "
            "beneficiary"
        )


class UnknownRequest(VouchError):
    """The chain knows no such request."""

    def __init__(self, request_id: bytes, hub: str) -> None:
        self.request_id, self.hub = request_id, hub
        super().__init__(
            f"hub {hub} knows no request 0x{request_id.hex()}: check the id, the chain and whether the node "
            "behind the RPC address keeps logs that old"
        )


class BadAnswer(VouchError):
    """Output, claim and seal do not belong together."""

    def __init__(self, what: str, received: str, expected: str) -> None:
        self.what, self.received, self.expected = what, received, expected
        super().__init__(f"{what} is {received}, not {expected}: do not use this answer")


class NodeRefused(VouchError):
    """A node did not answer."""

    def __init__(self, url: str, status: int, name: str, message: str, retryable: bool) -> None:
        self.url, self.status, self.name, self.message, self.retryable = url, status, name, message, retryable
        advice = "; try again later or another node" if retryable else ""
        super().__init__(f"{url} refused (HTTP {status}, {name}): {message}{advice}")


class WrongInput(VouchError):
    """The input is of another kind than the model takes."""

    def __init__(self, model: str, received: str, expected: str) -> None:
        self.model, self.received, self.expected = model, received, expected
        super().__init__(f"model {model!r} takes {expected}; not a {received}")


class NoAccount(VouchError):
    """The call sends a transaction, and the client was made without an account."""

    def __init__(self, purpose: str) -> None:
        self.purpose = purpose
        super().__init__(f"no account {purpose}: make the client with one, Client(rpc, account)")


class NodeUnreachable(VouchError):
    """A node gave no usable reply; it may still have run the model."""

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(
            f"{url} gave no usable reply ({reason}): is the node running, and the address right?"
        )
