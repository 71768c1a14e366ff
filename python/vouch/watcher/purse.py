"""What is at risk right now, and whether one more bond fits."""

from collections.abc import Mapping

from vouch.watcher.config import Budget
from vouch.watcher.docket import Docket
from vouch.watcher.finding import Kind
from vouch.watcher.store import Store
from vouch.watcher.words import money


class Purse:
    """The budgets, against challenges that are open (docket), on their way or lost (store)."""

    def __init__(
        self, budgets: Mapping[str, Budget], docket: Docket, store: Store, account: str | None
    ) -> None:
        self._budgets, self._docket, self._store, self._account = budgets, docket, store, account

    @property
    def tokens(self) -> list[str]:
        """Tokens that are worth something to us."""
        return list(self._budgets)

    def at_risk(self, token: str, *, beside: bytes = b"") -> int:
        """Token units of all open challenges, each counted once, but for that of the request `beside`."""
        bonds = {
            sent.request: sent.bond
            for sent in self._store.sent()
            if sent.kind is Kind.CHALLENGE
            and sent.token == token
            and self._undecided(sent.request, mined=sent.mined)
        }
        for case in self._docket.cases():
            if case.open and case.terms.token == token and self._ours(case.challenger):
                bonds[case.id] = case.terms.bond
        bonds.pop(beside, None)
        return sum(bonds.values())

    def lost(self, token: str) -> int:
        """Token units that went to operators since the database was new."""
        return sum(lost.bond for lost in self._store.lost() if lost.token == token)

    def lost_on(self, model_id: bytes) -> bool:
        """Whether a proof has shown that our copy of this model is wrong."""
        return any(lost.model == model_id for lost in self._store.lost())

    def refusal(self, token: str, bond: int) -> str:
        """Why a bond is never put up; empty if it may be."""
        budget = self._budgets.get(token)
        if budget is None:
            return f"no bond is put up in the token {token}: allow it with --token"
        if bond > budget.max_bond:
            return f"the bond is {money(bond, token)}, over --max-bond {money(budget.max_bond, token)}"
        return ""

    def shortage(self, request: bytes, token: str, bond: int) -> str:
        """Why a bond that may be put up for a request cannot be put up now; empty if it can."""
        taken, lost = self.at_risk(token, beside=request), self.lost(token)
        most = self._budgets[token].max_at_risk
        if taken + lost + bond <= most:
            return ""
        return (
            f"{money(taken, token)} are at risk already and {money(lost, token)} were lost: the bond of "
            f"{money(bond, token)} would go over --max-at-risk {money(most, token)}"
        )

    def _undecided(self, request: bytes, *, mined: bool) -> bool:
        """Whether a challenge that was sent may still take effect, as far as logs were read."""
        case = self._docket.get(request)
        if case is None:
            return not mined
        return case.end is None and case.challenge is None

    def _ours(self, challenger: str | None) -> bool:
        return self._account is not None and challenger == self._account
