"""Options of the commands that run until they are stopped."""

from pathlib import Path

import click

from vouch.cli.options import ModelPath, Option, Wei, together

ws_option: Option = click.option(
    "--ws",
    metavar="URL",
    envvar="VOUCH_WS",
    show_envvar=True,
    help="Websocket of the chain: saves the wait of polling.",
)
max_fee_option: Option = click.option(
    "--max-fee",
    type=Wei(),
    default="500gwei",
    show_default=True,
    help="Most to pay for a unit of gas; while it costs more, transactions wait.",
)
status_options = together(
    click.option(
        "--status-port", type=click.IntRange(0, 65535), help="Port of the status server; default: none."
    ),
    click.option(
        "--status-host", default="127.0.0.1", show_default=True, help="Address of the status server."
    ),
)


def database_option(default: Path, what: str) -> Option:
    """--database FILE; `what` it is, for the help."""
    return click.option(
        "--database",
        type=click.Path(dir_okay=False, path_type=Path),
        default=default,
        show_default=True,
        help=what,
    )


def start_options(first: str, what: str) -> Option:
    """`first` block of a fresh database, and --confirmations on top of `what` is acted upon."""
    return together(
        click.option(
            first, type=click.IntRange(0), help="First block of a fresh database; default: the hub's."
        ),
        click.option(
            "--confirmations",
            type=click.IntRange(0),
            default=0,
            show_default=True,
            help=f"Blocks to wait on top of a {what}.",
        ),
    )


def keep_days_option(what: str) -> Option:
    """--keep-days; `what` is kept for so many, for the help."""
    return click.option(
        "--keep-days",
        type=click.FloatRange(0),
        default=30.0,
        show_default=True,
        help=f"Days for which {what}.",
    )


def listen_options(port: int) -> Option:
    """--host and --port of an HTTP server."""
    return together(
        click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
        click.option(
            "--port",
            type=click.IntRange(0, 65535),
            default=port,
            show_default=True,
            help="Port; 0: a free one.",
        ),
    )


def onnx_option(what: str) -> Option:
    """--onnx [NAME=]FILE, repeatable; `what` it is for, for the help."""
    return click.option(
        "--onnx", "onnx_models", type=ModelPath(), multiple=True, metavar="[NAME=]FILE", help=what
    )


def text_option(what: str) -> Option:
    """--text MANIFEST URL, repeatable; `what` it is for, for the help."""
    return click.option(
        "--text",
        "text_models",
        type=(click.Path(exists=True, dir_okay=False, path_type=Path), str),
        multiple=True,
        metavar="MANIFEST URL",
        help=what,
    )
