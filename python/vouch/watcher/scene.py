"""What the parts of one watcher share."""

from dataclasses import dataclass

from vouch.chain.contracts import Hub
from vouch.chain.follower import Follower
from vouch.watcher.config import WatchConfig
from vouch.watcher.docket import Docket
from vouch.watcher.finding import Teller
from vouch.watcher.lane import Lane
from vouch.watcher.policy import Policy
from vouch.watcher.records import Records
from vouch.watcher.routes import Routes
from vouch.watcher.store import Store


@dataclass(frozen=True, slots=True)
class Scene:
    """The chain as it is known, what was decided beforehand, and the means to act.

    account: who puts up bonds; None in a dry run without a key.
    lane: None in every dry run, so that nothing is sent.
    """

    config: WatchConfig
    chain_id: int
    hub: Hub
    docket: Docket
    follower: Follower
    records: Records
    routes: Routes
    store: Store
    policy: Policy
    account: str | None
    lane: Lane | None
    teller: Teller
