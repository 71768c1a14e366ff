"""How amounts, times and ids read in the lines that people see."""

import datetime as dt

from vouch.protocol.request import NATIVE


def money(amount: int, token: str = NATIVE) -> str:
    """Token units: exact, and in ether for the native token where that reads better."""
    if token != NATIVE:
        return f"{amount} units of {token}"
    if amount < 10**12:
        return f"{amount} wei"
    whole, part = divmod(amount, 10**18)
    fraction = f".{part:018d}".rstrip("0").rstrip(".")
    return f"{whole}{fraction} ether"


def clock(seconds: int) -> str:
    """Unix seconds as a time of day, UTC."""
    return f"{dt.datetime.fromtimestamp(seconds, tz=dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def plain(text: str, limit: int = 300) -> str:
    """Text of strangers (names of models, errors) without what a terminal would obey."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
