"""Whose proofs a challenger believes, as the command line names them."""

import click

from vouch.protocol.errors import VouchError
from vouch.protocol.quorum import Policy


class Trust(click.ParamType[bytes]):
    """32 bytes of hex; b"" stands for "any"."""

    name = "trust"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        if isinstance(value, bytes):
            return value
        text = str(value)
        if text == "any":
            return b""
        try:
            trust = bytes.fromhex(text.removeprefix("0x"))
        except ValueError:
            self.fail(f"{text!r} is no hex: give the 32 bytes that terms name as trust, or any", param, ctx)
        if len(trust) != 32:
            self.fail(f"a trust has 32 bytes (64 hex digits), not {len(trust)}", param, ctx)
        return trust


class Quorum(click.ParamType[bytes]):
    """M:ADDRESS,ADDRESS,...; converts to the trust that such terms name."""

    name = "quorum"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        if isinstance(value, bytes):
            return value
        threshold, colon, members = str(value).partition(":")
        if not colon or not threshold.isdecimal():
            self.fail(f"{value!r} is not M:ADDRESS,ADDRESS,... (as in 2:0xA…,0xB…,0xC…)", param, ctx)
        try:
            return Policy.of(int(threshold), members.split(",")).trust
        except (VouchError, ValueError) as bad:
            self.fail(f"{value!r} is no quorum: {bad}", param, ctx)
