"""``strongroom wallet``: create, list, show, import, export."""

from __future__ import annotations

import typer

from strongroom.cli import wallet_create, wallet_export, wallet_import, wallet_read
from strongroom.cli.command import common_callback


def build() -> typer.Typer:
    """Put the commands together."""
    app = typer.Typer(help="Create, list, show, import and export wallets.")
    app.callback()(common_callback)
    wallet_create.add(app)
    wallet_read.add(app)
    wallet_import.add(app)
    wallet_export.add(app)
    return app
