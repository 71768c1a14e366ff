"""X509Harness: what certificates say to the contract."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tests.support.batched import Batched, Refusal


class Fields(NamedTuple):
    """What a certificate says, as the contract's struct of the same name; what is no Fields was refused."""

    tbs: bytes
    issuer: bytes
    subject: bytes
    key: bytes
    not_before: int
    not_after: int
    ca: bool
    path_len: int
    key_usage: int
    signature: bytes


class X509Harness(Batched):
    NAME = "X509Harness"

    async def many(self, function: str, inputs: Iterable[Sequence[Any]]) -> list[Any]:
        """Each function has one result."""
        answers = await super().many(function, inputs)
        return [answer if isinstance(answer, Refusal) else answer[0] for answer in answers]

    async def one(self, function: str, *args: Any) -> Any:
        return await super().one(function, *args)

    async def parse(self, certificates: Iterable[bytes]) -> list[Fields | Refusal]:
        answers = await self.many("parse", [(certificate,) for certificate in certificates])
        return [answer if isinstance(answer, Refusal) else Fields(*answer) for answer in answers]
