"""Sums of a scene, and what is quoted on the screen."""

from vouch.cli.balances import Balances, Holding, Sent
from vouch.cli.gap_stage import Money, quoted

USER, LIAR = "0x" + "aA" * 20, "0x" + "bB" * 20
PARTIES = {"user": USER, "liar": LIAR, "pool": "0x" + "cC" * 20}


def test_gains_are_without_gas_wherever_the_money_is() -> None:
    before = Balances(1, 10, {"user": Holding(100), "liar": Holding(50, stake=10), "pool": Holding(7)})
    after = Balances(
        4, 10, {"user": Holding(80, credit=11), "liar": Holding(45, stake=4), "pool": Holding(7)}
    )
    money = Money(
        PARTIES, before, after, [Sent(USER, "ask", 1, 14), Sent(LIAR, "deliver", 1, 5), Sent("0x", "", 1, 1)]
    )
    assert money.gas == {"user": 14, "liar": 5, "pool": 0}
    assert money.gains == {"user": 5, "liar": -6}


def test_a_quote_has_names_and_short_hashes() -> None:
    text = (
        f"operator {LIAR}: wrong, as {USER} says; challenged in 0x{'12' * 32}: 0.01 ether; 0x1234abcd stays"
    )
    assert quoted(text, PARTIES) == [
        "liar: wrong, as user says",
        "challenged in 0x12121212…: 0.01 ether",
        "0x1234abcd stays",
    ]
