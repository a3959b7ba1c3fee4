"""``strongroom networks``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from strongroom.cli.command import CommandContext, command
from strongroom.cli.exit_codes import EXIT_DONE

if TYPE_CHECKING:
    from strongroom.ports.network import Network


def add(app: typer.Typer) -> None:
    """Add ``strongroom networks`` to the application."""
    command(app, "networks")(networks)


def networks(context: CommandContext) -> int:
    """List the networks, their variants and paths.

    The first variant of a network is its default. Needs no database.
    """
    from strongroom.networks import TABLE

    described = [_as_dict(network) for network in TABLE]
    if context.out.as_json:
        context.out.document({"networks": described})
        return EXIT_DONE
    rows = []
    for network in described:
        for number, variant in enumerate(network["variants"]):
            first = (network["name"], network["caip2"]) if number == 0 else ("", "")
            rows.append((*first, variant["name"], variant["scheme"], variant["path"]))
    context.out.table(("Network", "CAIP-2", "Variant", "Scheme", "Path"), rows, folded={"CAIP-2": "Network"})
    return EXIT_DONE


def _as_dict(network: Network) -> dict[str, Any]:
    variants = [
        {"name": name, "scheme": (scheme := network.scheme(name)), "path": network.path(scheme)}
        for name in network.variants
    ]
    return {"name": network.name, "caip2": network.caip2, "variants": variants}
