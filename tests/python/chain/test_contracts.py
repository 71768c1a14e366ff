from collections.abc import Callable

import pytest

from tests.python.chain.terms import MANIFEST, seal_of, terms_of
from vouch.chain.account import LocalKey
from vouch.chain.contracts import Fulfilment, Hub, ModelRegistry, NodeRegistry
from vouch.chain.deployment import Deployment
from vouch.chain.events import RequestedLog, SettledLog, get_logs, receipt_logs
from vouch.chain.rpc import Rpc
from vouch.chain.sender import Reverted, TxSender
from vouch.protocol.keccak import keccak
from vouch.protocol.status import Status


async def test_request_to_settled(
    rpc: Rpc,
    hub: Hub,
    nodes: NodeRegistry,
    models: ModelRegistry,
    deployment: Deployment,
    sender: TxSender,
    sender_of: Callable[[LocalKey], TxSender],
    operator: LocalKey,
) -> None:
    relayer = sender_of(operator)
    await sender.transact(models.publish("m", MANIFEST))
    await relayer.transact(nodes.set_price(keccak(MANIFEST), 10**15, 0))
    terms = terms_of(sender.address, operator.address)
    assert await hub.estimate(terms) == 10**15
    start = int(await rpc.call("eth_blockNumber"), 16) + 1

    asked = await sender.transact(hub.request(terms, b"in"))
    request_id = terms.id(deployment.chain_id, deployment.hub)
    assert await hub.id_of(terms) == request_id
    assert await hub.status_of(request_id) == Status.REQUESTED
    (requested,) = receipt_logs(asked, deployment.hub)
    assert isinstance(requested, RequestedLog)
    assert (requested.request, requested.input, requested.id) == (terms, b"in", request_id)

    done = await relayer.transact(
        hub.fulfil(terms, operator.address, b"out", seal_of(operator, terms, b"out", deployment))
    )
    settled = (await get_logs(rpc, deployment.hub, start, done.block_number))[-1]
    assert isinstance(settled, SettledLog)
    assert (settled.output, settled.operator, settled.id) == (b"out", operator.address, request_id)
    assert (await hub.assurance_of(request_id)).status == Status.SETTLED
    assert await hub.is_answer(request_id, operator.address, keccak(b"out"))
    assert await hub.credit_of(operator.address) == 10**15


async def test_many(hub: Hub, deployment: Deployment, sender: TxSender, operator: LocalKey) -> None:
    items = []
    for salt in range(3):
        terms = terms_of(sender.address, operator.address, salt=salt)
        await sender.transact(hub.request(terms, b"in"))
        output = bytes([salt])
        items.append(
            Fulfilment(terms, operator.address, output, seal_of(operator, terms, output, deployment))
        )
    await sender.transact(hub.fulfil_many(items))
    assert await hub.credit_of(operator.address) == 3 * 10**15


async def test_revert_names_the_error(hub: Hub, sender: TxSender, operator: LocalKey) -> None:
    terms = terms_of(operator.address, operator.address)
    with pytest.raises(Reverted, match="NotConsumer") as caught:
        await sender.transact(hub.request(terms, b"in"))
    assert caught.value.error.args == {"caller": sender.address, "consumer": operator.address}
    assert caught.value.tx_hash is None
