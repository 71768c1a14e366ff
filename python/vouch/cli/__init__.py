"""The `vouch` command line: one thin file per command."""
