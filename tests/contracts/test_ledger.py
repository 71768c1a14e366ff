# deposit
# ├── to the zero account ................ ZeroAccount
# ├── native, value is not the amount .... UnexpectedValue
# ├── ERC-20 with value .................. UnexpectedValue
# ├── ERC-20 that returns false .......... SafeERC20FailedOperation
# ├── ERC-20 that calls back ............. ReentrancyGuardReentrantCall
# ├── ERC-20 that claims more than any supply ... CreditOverflow
# └── otherwise .......................... what arrived is credited, whatever was promised
# withdraw
# ├── to the zero account or the hub ..... BadReceiver
# ├── more than there is ................. InsufficientCredit
# ├── receiver refuses ................... TransferFailed
# └── otherwise .......................... paid out
# transferCredit
# ├── to the zero account ................ ZeroAccount
# ├── more than there is ................. InsufficientCredit
# └── otherwise .......................... moved

from dataclasses import replace
from typing import Any

import pytest
from eth_hash.auto import keccak

from tests.support.contract import Contract
from tests.support.world import World, refused
from vouch.chain.abi import event
from vouch.chain.reverts import Reverted
from vouch.chain.transaction import Call, Receipt
from vouch.protocol.request import NATIVE

HONEST, TAX, RETURN_FALSE, RETURN_NOTHING, FALSE_AFTER_MOVING, INFLATE, REENTER = range(7)
OPERATOR_BIT = 1 << 255


def emitted(receipt: Receipt, name: str) -> dict[str, Any]:
    kind = event("InferenceHub", name)
    return kind.decode(next(log for log in receipt.logs if log.topics[0] == kind.topic0))


async def hostile(world: World, mode: int, claimed: int = 0) -> Contract:
    token = await world.token()
    await world.send(token.call("setMode", mode, claimed, world.hub.address))
    return token


async def test_deposit_native(world: World) -> None:
    receipt = await world.send(world.hub.deposit(10, world.rival.address))
    await world.send(world.hub.deposit(5, world.rival.address), world.stranger)
    assert await world.credit(world.rival) == 15
    assert await world.credit(world.owner) == await world.credit(world.stranger) == 0
    assert await world.balance(world.hub.address) == 15
    assert emitted(receipt, "Deposited") == {"token": NATIVE, "account": world.rival.address, "amount": 10}


@pytest.mark.parametrize(("value", "amount"), [(0, 1), (9, 10), (11, 10), (1, 0)])
async def test_deposit_of_another_value(world: World, value: int, amount: int) -> None:
    call = replace(world.hub.deposit(amount, world.owner.address), value=value)
    await refused(world.send(call), "UnexpectedValue", received=value, expected=amount)


async def test_deposit_to_nobody(world: World) -> None:
    await refused(world.send(world.hub.deposit(1, NATIVE)), "ZeroAccount")
    token = await world.token()
    await refused(world.send(world.hub.deposit(1, NATIVE, token.address)), "ZeroAccount")


async def test_deposit_erc20(world: World) -> None:
    token = await world.token()
    call = world.hub.deposit(10, world.rival.address, token.address)
    assert int.from_bytes(await world.try_at(await world.now() + 1, call), "big") == 10
    receipt = await world.send(call)
    assert await world.credit(world.rival, token.address) == 10
    assert await world.credit(world.rival) == 0
    assert await token.read("balanceOf", world.hub.address) == 10
    assert emitted(receipt, "Deposited") == {
        "token": token.address,
        "account": world.rival.address,
        "amount": 10,
    }


async def test_deposit_erc20_with_value(world: World) -> None:
    token = await world.token()
    call = replace(world.hub.deposit(10, world.owner.address, token.address), value=10)
    await refused(world.send(call), "UnexpectedValue", received=10, expected=0)


async def test_deposit_without_allowance(world: World) -> None:
    token = await world.token()
    with pytest.raises(Reverted) as caught:
        await world.send(world.hub.deposit(1, world.stranger.address, token.address), world.stranger)
    assert caught.value.error.data[:4] == keccak(b"ERC20InsufficientAllowance(address,uint256,uint256)")[:4]
    assert await world.credit(world.stranger, token.address) == 0


async def test_deposit_of_no_token(world: World) -> None:
    await refused(world.send(world.hub.deposit(1, world.owner.address, world.rival.address)), "")


async def test_fee_on_transfer(world: World) -> None:
    token = await hostile(world, TAX)
    call = world.hub.deposit(100, world.owner.address, token.address)
    assert int.from_bytes(await world.try_at(await world.now() + 1, call), "big") == 90
    receipt = await world.send(call)
    assert await world.credit(world.owner, token.address) == 90
    assert emitted(receipt, "Deposited")["amount"] == 90
    await world.send(world.hub.withdraw(90, world.rival.address, token.address))
    assert await token.read("balanceOf", world.rival.address) == 81
    assert await token.read("balanceOf", world.hub.address) == 0


@pytest.mark.parametrize("mode", [RETURN_FALSE, FALSE_AFTER_MOVING])
async def test_token_that_returns_false(world: World, mode: int) -> None:
    token = await hostile(world, mode)
    await refused(
        world.send(world.hub.deposit(5, world.owner.address, token.address)),
        "SafeERC20FailedOperation",
        token=token.address,
    )
    await world.send(token.call("setMode", HONEST, 0, NATIVE))
    await world.send(world.hub.deposit(5, world.owner.address, token.address))
    await world.send(token.call("setMode", mode, 0, NATIVE))
    await refused(
        world.send(world.hub.withdraw(5, world.owner.address, token.address)),
        "SafeERC20FailedOperation",
        token=token.address,
    )
    assert await world.credit(world.owner, token.address) == 5


async def test_token_that_returns_nothing(world: World) -> None:
    token = await hostile(world, RETURN_NOTHING)
    await world.send(world.hub.deposit(5, world.owner.address, token.address))
    await world.send(world.hub.withdraw(5, world.rival.address, token.address))
    assert await token.read("balanceOf", world.rival.address) == 5


async def test_token_that_calls_back(world: World) -> None:
    """Without the guard the inner deposit would be counted a second time by the outer one."""
    token = await hostile(world, REENTER)
    await refused(
        world.send(world.hub.deposit(5, world.owner.address, token.address)), "ReentrancyGuardReentrantCall"
    )


@pytest.mark.parametrize(
    ("claimed", "fits"), [(OPERATOR_BIT - 6, True), (OPERATOR_BIT - 5, False), (2**256 - 6 - 10**18, False)]
)
async def test_token_that_lies(world: World, claimed: int, fits: bool) -> None:
    token = await hostile(world, INFLATE, claimed)
    call = world.hub.deposit(5, world.owner.address, token.address)
    if fits:
        await world.send(call)
        assert await world.credit(world.owner, token.address) == claimed + 5
    else:
        await refused(world.send(call), "CreditOverflow", token=token.address, amount=claimed + 5)


async def test_credits_that_do_not_add_up(world: World) -> None:
    token = await hostile(world, INFLATE, OPERATOR_BIT - 6)
    for account in (world.owner.address, world.rival.address):
        await world.send(world.hub.deposit(5, account, token.address))
        await world.send(token.call("setMode", HONEST, 0, NATIVE))
    full = OPERATOR_BIT - 1
    assert await world.credit(world.owner, token.address) == full
    await refused(
        world.send(world.hub.transfer_credit(full, world.rival.address, token.address)),
        "CreditOverflow",
        token=token.address,
        amount=full,
    )


async def test_withdraw_native(world: World) -> None:
    await world.send(world.hub.deposit(10, world.owner.address))
    before = await world.balance("0x" + "00" * 18 + "1234")
    receipt = await world.send(world.hub.withdraw(7, "0x" + "00" * 18 + "1234"))
    assert await world.balance("0x" + "00" * 18 + "1234") == before + 7
    assert await world.credit(world.owner) == 3
    assert emitted(receipt, "Withdrawn") == {
        "token": NATIVE,
        "account": world.owner.address,
        "amount": 7,
        "to": "0x" + "00" * 18 + "1234",
    }


async def test_withdraw_erc20(world: World) -> None:
    token = await world.token()
    await world.send(world.hub.deposit(10, world.owner.address, token.address))
    receipt = await world.send(world.hub.withdraw(7, world.rival.address, token.address))
    assert await token.read("balanceOf", world.rival.address) == 7
    assert await world.credit(world.owner, token.address) == 3
    assert emitted(receipt, "Withdrawn")["token"] == token.address


async def test_withdraw_more_than_there_is(world: World) -> None:
    token = await world.token()
    await world.send(world.hub.deposit(10, world.owner.address))
    await world.send(world.hub.deposit(5, world.owner.address, token.address))
    for currency, available in ((NATIVE, 10), (token.address, 5)):
        await refused(
            world.send(world.hub.withdraw(available + 1, world.owner.address, currency)),
            "InsufficientCredit",
            token=currency,
            available=available,
            wanted=available + 1,
        )
    await refused(
        world.send(world.hub.withdraw(1, world.stranger.address), world.stranger),
        "InsufficientCredit",
        token=NATIVE,
        available=0,
        wanted=1,
    )


async def test_withdraw_to_nowhere(world: World) -> None:
    token = await world.token()
    await world.send(world.hub.deposit(10, world.owner.address))
    await world.send(world.hub.deposit(10, world.owner.address, token.address))
    for currency in (NATIVE, token.address):
        for to in (NATIVE, world.hub.address):
            await refused(world.send(world.hub.withdraw(1, to, currency)), "BadReceiver", to=to)


async def test_receiver_that_refuses(world: World) -> None:
    await world.send(world.hub.deposit(10, world.owner.address))
    to = world.router.address  # takes no money
    await refused(world.send(world.hub.withdraw(10, to)), "TransferFailed", to=to, amount=10)
    assert await world.credit(world.owner) == 10


@pytest.mark.parametrize("native", [True, False])
async def test_transfer_credit(world: World, native: bool) -> None:
    token = NATIVE if native else (await world.token()).address
    await world.send(world.hub.deposit(10, world.owner.address, token))
    receipt = await world.send(world.hub.transfer_credit(4, world.rival.address, token))
    assert await world.credit(world.owner, token) == 6
    assert await world.credit(world.rival, token) == 4
    assert emitted(receipt, "Transferred") == {
        "token": token,
        "from": world.owner.address,
        "to": world.rival.address,
        "amount": 4,
    }
    await world.send(world.hub.transfer_credit(6, world.owner.address, token))
    assert await world.credit(world.owner, token) == 6
    await refused(
        world.send(world.hub.transfer_credit(7, world.owner.address, token)),
        "InsufficientCredit",
        token=token,
        available=6,
        wanted=7,
    )
    await refused(world.send(world.hub.transfer_credit(1, NATIVE, token)), "ZeroAccount")


async def test_the_hub_takes_no_stray_money(world: World) -> None:
    await refused(world.send(Call(world.hub.address, b"", 1)), "")
