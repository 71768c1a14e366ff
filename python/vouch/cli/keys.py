"""Private keys for the commands: a file or the environment, never the command line."""

import os
from pathlib import Path

import click

from vouch.chain.account import BadKey, LocalKey, decrypt_keystore, unhex_key

VARIABLE = "VOUCH_KEY"
PASSWORD = "VOUCH_PASSWORD"


class NoKey(click.UsageError):
    """The command needs a key and got none."""

    def __init__(self, purpose: str) -> None:
        super().__init__(
            f"no key {purpose}: give --key-file FILE (hex or an encrypted keystore), "
            f"or set {VARIABLE} to 64 hex digits"
        )


def load_secret(key_file: Path | None, purpose: str) -> bytes:
    """32 key bytes from a hex or keystore file, else from VOUCH_KEY.

    Raises NoKey when there is neither, BadKey when what is there is no key.
    """
    if key_file is None:
        if not os.environ.get(VARIABLE):
            raise NoKey(purpose)
        return unhex_key(os.environ[VARIABLE], f"environment variable {VARIABLE}")
    try:
        text = key_file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadKey(str(key_file), str(error)) from error
    if not text.lstrip().startswith("{"):
        return unhex_key(text, str(key_file))
    password = os.environ.get(PASSWORD)
    if password is None:
        password = click.prompt(f"Password of {key_file}", hide_input=True, err=True)
    return decrypt_keystore(text, password, str(key_file))


def load_key(key_file: Path | None, purpose: str) -> LocalKey:
    """The sending key; raises as `load_secret`."""
    return LocalKey(load_secret(key_file, purpose))
