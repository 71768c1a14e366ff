"""The root of every error that Vouch raises on purpose."""


class VouchError(Exception):
    """Something was wrong with an input or a peer; the message says what, and what to do about it."""
