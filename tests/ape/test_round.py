"""A question and its answer through ape's own provider, accounts and error classes."""

from pathlib import Path
from typing import Any

import ape
import pytest
from ape.api import AccountAPI
from ape.contracts import ContractInstance
from ape.managers.project import ProjectManager
from coincurve import PrivateKey

from scripts.deploy import deploy, read_back
from tests.support.terms import make_terms
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.client import Client
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.seal import SIGNED, sign_claim
from vouch.protocol.status import Status

MANIFEST = b'{"name":"any bytes do for the contracts"}'
MODEL = keccak(MANIFEST)
FEATURES = [int(value * 10**18) for value in (62, 0.31, 1.4, 1, 7)]
RISK = 14 * 10**16
FEE = 10**15


@pytest.fixture
def owner(accounts: Any) -> AccountAPI:
    return accounts[0]


@pytest.fixture
def operator(accounts: Any) -> AccountAPI:
    return accounts[1]


@pytest.fixture
def borrower(accounts: Any) -> AccountAPI:
    return accounts[2]


@pytest.fixture
def deployment(owner: AccountAPI, chain: Any) -> Deployment:
    return deploy(owner, chain.chain_id)


@pytest.fixture
def hub(project: ProjectManager, deployment: Deployment) -> ContractInstance:
    return project.InferenceHub.at(deployment.hub)


@pytest.fixture
def gate(
    project: ProjectManager,
    deployment: Deployment,
    hub: ContractInstance,
    owner: AccountAPI,
    operator: AccountAPI,
) -> ContractInstance:
    """RiskGate on a published model that the operator offers."""
    nodes = project.NodeRegistry.at(deployment.nodes)
    project.ModelRegistry.at(deployment.models).publish("risk", MANIFEST, sender=owner)
    nodes.register("http://127.0.0.1:1", sender=operator)
    nodes.setPrice(MODEL, NATIVE, FEE, 0, sender=operator)
    return owner.deploy(project.RiskGate, hub, MODEL, SIGNED, bytes(32), 2 * 10**17)


def asked(hub: ContractInstance, receipt: Any) -> tuple[bytes, Request]:
    """Id and terms of the request in a transaction."""
    (log,) = receipt.decode_logs(hub.Requested)
    return bytes(log.id), Request.from_abi(tuple(log.request))


def sealed(operator: AccountAPI, terms: Request, output: bytes, chain_id: int, hub: str) -> bytes:
    key = PrivateKey(bytes.fromhex(operator.private_key.removeprefix("0x")))
    claim = Claim(terms.id(chain_id, hub), terms.model_id, terms.input_hash, keccak(output), operator.address)
    return bytes(sign_claim(key, claim, chain_id, hub))


def test_a_question_is_answered_paid_and_called_back(
    hub: ContractInstance, gate: ContractInstance, operator: AccountAPI, borrower: AccountAPI, chain: Any
) -> None:
    receipt = gate.ask(7, FEATURES, operator, value=FEE, sender=borrower)
    request_id, terms = asked(hub, receipt)
    assert terms.id(chain.chain_id, hub.address) == request_id
    assert hub.statusOf(request_id) == Status.REQUESTED
    output = RISK.to_bytes(32, "big")
    seal = sealed(operator, terms, output, chain.chain_id, hub.address)

    fulfilled = hub.fulfil(terms.to_abi(), operator, output, seal, sender=borrower)

    (settled,) = fulfilled.decode_logs(hub.Settled)
    assert (bytes(settled.id), bytes(settled.output)) == (request_id, output)
    assert settled.operator == operator.address
    assert hub.creditOf(NATIVE, operator) == FEE
    assert tuple(gate.decisions(7)) == (borrower.address, True, True, RISK)


def test_errors_keep_their_names(
    hub: ContractInstance, gate: ContractInstance, operator: AccountAPI, borrower: AccountAPI, chain: Any
) -> None:
    _, terms = asked(hub, gate.ask(7, FEATURES, operator, value=FEE, sender=borrower))
    output = RISK.to_bytes(32, "big")
    forged = sealed(borrower, terms, output, chain.chain_id, hub.address)

    with ape.reverts(hub.WrongOperator):
        hub.fulfil(terms.to_abi(), borrower, output, forged, sender=borrower)
    with ape.reverts():
        hub.fulfil(terms.to_abi(), operator, output, forged, sender=borrower)
    with ape.reverts(gate.WrongFeatureCount):
        gate.ask(8, FEATURES[:4], operator, value=FEE, sender=borrower)


async def test_the_deployment_file_is_read_back_by_the_client(
    deployment: Deployment, tmp_path: Path, networks: Any, gate: ContractInstance
) -> None:
    deployment.save(tmp_path)

    assert await read_back(networks.provider.http_uri, tmp_path) == deployment
    async with Rpc(networks.provider.http_uri) as rpc, Client(rpc, deployments=tmp_path) as client:
        assert await client.resolve("risk") == MODEL


def test_terms_built_in_python_have_the_hubs_id(
    hub: ContractInstance, borrower: AccountAPI, chain: Any
) -> None:
    terms = make_terms(consumer=borrower.address, model_id=MODEL)
    assert bytes(hub.idOf(terms.to_abi())) == terms.id(chain.chain_id, hub.address)
