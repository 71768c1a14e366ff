import pytest
from eth_abi.abi import encode

from vouch.chain.contracts import Hub, NoContract
from vouch.chain.errors import RpcError
from vouch.chain.reverts import reverted
from vouch.chain.rpc import Rpc
from vouch.protocol.keccak import keccak

REASON = "0x" + (keccak(b"Error(string)")[:4] + encode(["string"], ["no"])).hex()


@pytest.mark.parametrize(
    ("code", "message", "data", "name"),
    [
        (3, "execution reverted: no", REASON, "Error"),
        (-32000, "execution reverted", {"data": REASON}, "Error"),
        (-32603, "error", {"originalError": {"data": REASON}}, "Error"),
        (-32015, "VM execution error.", f"Reverted {REASON}", "Error"),
        (-32000, "execution reverted", None, ""),
        (3, "execution reverted", "0x", ""),
        (-32000, "intrinsic gas too low", None, None),
        (-32602, "invalid params", "expected hex", None),
    ],
)
def test_how_nodes_report_reverts(code: int, message: str, data: object, name: str | None) -> None:
    found = reverted(RpcError(code, message, data, "eth_call"))
    assert (found.error.name if found else None) == name


async def test_views_of_nothing(rpc: Rpc) -> None:
    with pytest.raises(NoContract, match="no InferenceHub at 0x0000000000000000000000000000000000000001"):
        await Hub(rpc, "0x" + "0" * 39 + "1").models()
