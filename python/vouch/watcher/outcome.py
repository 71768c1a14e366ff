"""How our own challenges ended, and what that did to the purse."""

from vouch.protocol.status import Status
from vouch.watcher.case import Case
from vouch.watcher.finding import Kind
from vouch.watcher.scene import Scene
from vouch.watcher.store import Lost
from vouch.watcher.words import money


class Outcomes:
    """`look` at a request whenever it changed, `close` it when it cannot change any more."""

    def __init__(self, scene: Scene) -> None:
        self._docket, self._store = scene.docket, scene.store
        self._account, self._teller = scene.account, scene.teller

    def look(self, request: bytes) -> None:
        """A request changed: a bond is lost, won, or (after a fork) neither."""
        case = self._docket.get(request)
        if case is not None and self._is_lost(case):
            self.close(case)
            return
        if any(lost.request == request for lost in self._store.lost()):
            self._store.find(request)
        if case is not None:
            self.close(case)

    def close(self, case: Case) -> None:
        """Notes the end of a challenge of ours."""
        if case.end is None or not self._is_ours(case):
            return
        terms = case.terms
        bond = money(terms.bond, terms.token)
        match case.end.status:
            case Status.SETTLED:
                self._store.lose(Lost(case.id, terms.model_id, terms.token, terms.bond))
                text = f"a proof came: the bond of {bond} is the operator's; no more challenges of this model"
                self._teller.tell(Kind.LOST, case.id, text)
            case Status.REJECTED:
                text = f"rejected: the bond of {bond} is back and {bond} won, both as credit in the hub"
                self._teller.tell(Kind.WON, case.id, text)
            case _:
                text = f"its route is dead: the bond of {bond} is back, as credit in the hub"
                self._teller.tell(Kind.GONE, case.id, text)

    def _is_lost(self, case: Case) -> bool:
        return case.end is not None and case.end.status is Status.SETTLED and self._is_ours(case)

    def _is_ours(self, case: Case) -> bool:
        return self._account is not None and case.challenger == self._account
