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
    """The account cannot pay what it sends (a fee, a bond) and gas."""

    def __init__(self, account: str, received: int, expected: int) -> None:
        self.account, self.received, self.expected = account, received, expected
        super().__init__(
            f"account {account} has {received} wei, but the amount to send and gas can take {expected} wei: "
            f"send it at least {expected - received} wei more"
        )


class DeadlineInPast(VouchError):
    """The answer would have to be there before the question."""

    def __init__(self, received: int, now: int) -> None:
        self.received, self.now = received, now
        super().__init__(
            f"deliver_by {received} is not after the chain's time {now}: give the operator more seconds"
        )


class BadTerm(VouchError):
    """A word of the terms has no sense by itself or beside the others."""

    def __init__(self, name: str, received: object, expected: str) -> None:
        self.name, self.received, self.expected = name, received, expected
        super().__init__(f"{name} is {received!r}: {expected}")


class GapTooLong(VouchError):
    """window or prove_within is absurdly long, seconds."""

    def __init__(self, received: int, max_: int) -> None:
        self.received, self.max = received, max_
        super().__init__(
            f"window and prove_within are in seconds, at most {max_}, not {received}: is that milliseconds?"
        )


class RequestExpired(VouchError):
    """Nobody answered in time, or the route was withdrawn before the proof; the fee went back as credit.

    tx_hash: the transaction with which this client expired it; None: somebody else did.
    """

    def __init__(
        self, request_id: bytes, fee: int, beneficiary: str, tx_hash: bytes | None, delivered: bool = False
    ) -> None:
        self.request_id, self.fee, self.beneficiary, self.tx_hash = request_id, fee, beneficiary, tx_hash
        self.delivered = delivered
        shown = f"0x{request_id.hex()}"
        why = (
            f"the answer to request {shown} can never be proven, its route was withdrawn: do not use it"
            if delivered
            else f"nobody answered request {shown} in time"
        )
        how = f"this client expired it (transaction 0x{tx_hash.hex()})" if tx_hash else "it was expired"
        super().__init__(
            f"{why}; {how} and the fee of {fee} is credit of {beneficiary} again; "
            "`client.withdraw()` pays it out"
        )


class RequestRejected(VouchError):
    """The proof never came, or the operator contradicted itself: do not use the answer.

    Fee and exposure (token units) are credit of `beneficiary`, the bond from the operator's stake of
    `rewarded` (None: the chain's node does not have the event). tx_hash: the transaction with which this
    client rejected it; None: somebody else did.
    """

    def __init__(
        self,
        request_id: bytes,
        fee: int,
        exposure: int,
        beneficiary: str,
        rewarded: str | None,
        tx_hash: bytes | None,
        equivocated: bool = False,
    ) -> None:
        self.request_id, self.fee, self.exposure = request_id, fee, exposure
        self.beneficiary, self.rewarded = beneficiary, rewarded
        self.tx_hash, self.equivocated = tx_hash, equivocated
        why = "its operator signed two different ones" if equivocated else "its proof never came"
        how = f"this client rejected it (transaction 0x{tx_hash.hex()})" if tx_hash else "it was rejected"
        super().__init__(
            f"the answer to request 0x{request_id.hex()} is not to be used, {why}; {how}: the fee of {fee} "
            f"and the exposure of {exposure} are credit of {beneficiary}, the bond from the operator's stake "
            f"is {rewarded or 'somebody'}'s; `client.withdraw()` pays credit out"
        )

    @property
    def credited(self) -> int:
        """What the beneficiary got, in token units: the fee and the exposure."""
        return self.fee + self.exposure


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


class AnswerReplaced(VouchError):
    """The hub has another answer to the request than the one that was seen: a reorganisation, most likely."""

    def __init__(self, request_id: bytes, output_hash: bytes) -> None:
        self.request_id, self.output_hash = request_id, output_hash
        super().__init__(
            f"the hub has another answer to request 0x{request_id.hex()} than the one with the output hash "
            f"0x{output_hash.hex()}: do not use that one; `client.wait(id)` reads what is there now"
        )


class NoGap(VouchError):
    """Nothing is delivered and open, so there is nothing to challenge or to end."""

    def __init__(self, request_id: bytes, status: str) -> None:
        self.request_id, self.status = request_id, status
        super().__init__(
            f"request 0x{request_id.hex()} is {status}: no answer of it waits for its proof, so there is "
            "nothing to challenge, to report or to end"
        )


class NoWindow(VouchError):
    """The terms have no window, so nobody has to demand the proof."""

    def __init__(self, request_id: bytes) -> None:
        self.request_id = request_id
        super().__init__(
            f"request 0x{request_id.hex()} has no window for challenges: its answer must be proven anyway, "
            "and `client.reject` ends it if that is late"
        )


class WindowPassed(VouchError):
    """Too late to challenge; times in unix seconds."""

    def __init__(self, request_id: bytes, challenge_by: int, now: int) -> None:
        self.request_id, self.challenge_by, self.now = request_id, challenge_by, now
        super().__init__(
            f"the window of request 0x{request_id.hex()} closed at {challenge_by}, {now - challenge_by} s "
            f"before the chain's time {now}: its answer stands without a proof, `client.settle` ends it"
        )


class AlreadyChallenged(VouchError):
    """Somebody demanded the proof before; one challenge is enough."""

    def __init__(self, request_id: bytes) -> None:
        self.request_id = request_id
        super().__init__(
            f"the proof of request 0x{request_id.hex()} was demanded already: wait for it "
            "(`answer.settled()`), `client.reject` ends the request if it is late"
        )


class TooEarly(VouchError):
    """Somebody still has time to prove or to challenge; times in unix seconds."""

    def __init__(self, request_id: bytes, due: int, now: int) -> None:
        self.request_id, self.due, self.now = request_id, due, now
        super().__init__(
            f"request 0x{request_id.hex()} cannot be ended yet: the deadline is {due}, the chain's time "
            f"{now}; try again in {due - now + 1} s"
        )


class InsufficientCredit(VouchError):
    """The bond in an ERC-20 token comes from credit in the hub, and there is too little, in token units."""

    def __init__(self, token: str, received: int, expected: int) -> None:
        self.token, self.received, self.expected = token, received, expected
        super().__init__(
            f"the bond of {expected} in token {token} comes from credit in the hub, and there is {received}: "
            f"`client.deposit({expected - received}, {token!r})` first"
        )


class NoContradiction(VouchError):
    """The two answers are no proof that an operator contradicted itself."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"no equivocation: {reason}")
