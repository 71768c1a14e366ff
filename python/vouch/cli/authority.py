"""Development authorities, for the commands."""

from pathlib import Path

from vouch.attestation.dev import DevAuthority, NoAuthority


def opened(folder: Path) -> DevAuthority:
    """The authority of a folder, made there if there is none. Raises BadAuthority."""
    try:
        return DevAuthority.open(folder)
    except NoAuthority:
        return DevAuthority.create(folder=folder)
