"""What a running node says about itself."""

from dataclasses import dataclass
from typing import Any

import aiohttp

from vouch.protocol.errors import VouchError
from vouch.protocol.nesting import loads_bounded


class NodeDown(VouchError):
    """A node does not answer, or not as a Vouch node does."""

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(
            f"{url} does not answer as a node ({reason}): start `vouch node`, or check the address"
        )


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model of a node; `problem` is what keeps it from being ready."""

    name: str
    model_id: bytes
    kind: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """Operator (None: the node signs nothing) and models."""

    operator: str | None
    models: tuple[ServedModel, ...]


async def node_info(url: str, token: str | None) -> NodeInfo:
    """Asks a node for its operator and models, and each model whether it is ready. Raises NodeDown."""
    root = url.rstrip("/")
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    try:
        async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=10)) as http:
            info = await _json(http, f"{root}/vouch/v1/info")
            models = [await _model(http, root, model) for model in info["models"]]
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
        raise NodeDown(url, str(error) or type(error).__name__) from error
    return NodeInfo(info["operator"], tuple(models))


async def _model(http: aiohttp.ClientSession, root: str, model: dict[str, Any]) -> ServedModel:
    name, model_id = str(model["name"]), bytes.fromhex(model["modelId"].removeprefix("0x"))
    async with http.get(f"{root}/v2/models/{name}/ready") as response:
        problem = (
            None if response.status == 200 else (await response.text())[:300] or f"HTTP {response.status}"
        )
    return ServedModel(name, model_id, str(model["kind"]), problem)


async def _json(http: aiohttp.ClientSession, url: str) -> Any:
    async with http.get(url) as response:
        if response.status != 200:
            raise ValueError(f"HTTP {response.status}: {(await response.text())[:200]}")
        return loads_bounded(await response.read())
