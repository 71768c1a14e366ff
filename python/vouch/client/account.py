"""The account a client sends from: a key, hex, or a file."""

import re
from pathlib import Path

from vouch.chain.account import BadKey, LocalKey

_HEX = re.compile(r"(0x)?[0-9a-fA-F]{64}")


def open_account(account: str | Path | LocalKey, password: str | None = None) -> LocalKey:
    """A key from itself, 64 hex digits, or the path of a file with hex or an encrypted keystore.

    Raises BadKey, also for a keystore without a password.
    """
    if isinstance(account, LocalKey):
        return account
    if isinstance(account, str) and _HEX.fullmatch(account):
        return LocalKey.from_hex(account)
    path = Path(account)
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise BadKey("the account", "it is neither 64 hex digits nor the path of a file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadKey(str(path), type(error).__name__) from error
    if not text.lstrip().startswith("{"):
        return LocalKey.from_hex(text)
    if password is None:
        raise BadKey(str(path), "it is an encrypted keystore: give its password")
    return LocalKey.from_keystore(path, password)
