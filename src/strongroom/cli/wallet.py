"""``strongroom wallet``: from creation to retirement."""

from __future__ import annotations

import typer

from strongroom.cli import (
    wallet_create,
    wallet_create_many,
    wallet_export,
    wallet_import,
    wallet_lifecycle,
    wallet_move_key,
    wallet_read,
    wallet_store_key,
)
from strongroom.cli.command import common_callback


def build() -> typer.Typer:
    """Make the Typer group ``strongroom wallet`` with its commands."""
    app = typer.Typer(help="Create, find, import, complete, export, replace and revoke wallets.")
    app.callback()(common_callback)
    wallet_create.add(app)
    wallet_create_many.add(app)
    wallet_read.add(app)
    wallet_import.add(app)
    wallet_store_key.add(app)
    wallet_export.add(app)
    wallet_lifecycle.add(app)
    wallet_move_key.add(app)
    return app
