"""``strongroom networks``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from strongroom.cli.command import CommandContext, command
from strongroom.cli.exit_codes import EXIT_DONE

if TYPE_CHECKING:
    from strongroom.ports.network import Network


def add(app: typer.Typer) -> None:
    """Add ``strongroom networks`` to the application."""
    command(app, "networks")(networks)


def networks(
    context: CommandContext,
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NETWORK]", help="Show this one, with the addresses of a published test phrase."),
    ] = None,
) -> int:
    """List the networks, their variants and paths; or show one, also `evm:<chain id>`, a chain that has no name.

    The first variant of a network is its default. Needs no database.
    """
    from strongroom.networks import TABLE

    if name is not None:
        return _show(context, TABLE.get(name))
    described = [_as_dict(network) for network in TABLE]
    if context.out.as_json:
        context.out.document({"networks": described})
        return EXIT_DONE
    rows = []
    for network in described:
        for number, variant in enumerate(network["variants"]):
            first = (" or ".join((network["name"], *network["aliases"])), network["caip2"]) if number == 0 else ("", "")
            rows.append((*first, variant["name"], variant["scheme"], variant["path"]))
    context.out.table(("Network", "CAIP-2", "Variant", "Scheme", "Path"), rows, folded={"CAIP-2": "Network"})
    return EXIT_DONE


def _show(context: CommandContext, network: Network) -> int:
    described = _as_dict(network)
    for each in (*described["variants"], *described["imported_variants"]):
        each["example"] = _example(network, each["scheme"])
    if context.out.as_json:
        context.out.document({"network": described})
        return EXIT_DONE
    pairs = [
        ("Network", " or ".join((network.name, *described["aliases"]))),
        ("CAIP-2", network.caip2),
        ("SLIP-44", str(network.coin_type)),
        ("Keys are read as", "; ".join(network.key_forms)),
        ("Signs", ", ".join(described["signs"]) or "nothing yet"),
        ("Explorer", network.explorer or "none is known"),
    ]
    context.out.facts(pairs)
    rows = [
        (each["name"], each["scheme"], each["curve"], each["path"] or "none", each["example"] or "none")
        for each in (*described["variants"], *described["imported_variants"])
    ]
    context.out.table(("Variant", "Scheme", "Curve", "Path", "Address of the test phrase"), rows)
    context.out.line("The test phrase is `abandon` eleven times, then `about`: everybody has its keys.")
    return EXIT_DONE


def _as_dict(network: Network) -> dict[str, Any]:
    from strongroom.networks import TABLE
    from strongroom.ports.signing import SigningNetwork

    return {
        "name": network.name,
        "aliases": [alias for alias, name in TABLE.aliases.items() if name == network.name],
        "caip2": network.caip2,
        "coin_type": network.coin_type,
        "variants": [_variant(network, each) for each in network.variants],
        "imported_variants": [_variant(network, each) for each in network.imported_variants],
        "key_forms": list(network.key_forms),
        "signs": list(network.signing_kinds) if isinstance(network, SigningNetwork) else [],
        "explorer": network.explorer,
    }


def _variant(network: Network, name: str) -> dict[str, Any]:
    scheme = network.scheme(name)
    return {"name": name, "scheme": scheme, "curve": network.curve(scheme), "path": network.path(scheme)}


def _example(network: Network, scheme: str) -> str | None:
    """The address of the published test phrase; None where keys come from no phrase, or need another extra."""
    from strongroom.crypto.phrase import Phrase
    from strongroom.errors import InvalidPathError, MissingExtraError

    try:
        material = network.derive(Phrase.generate(12, bytes), scheme)  # of zeros
        return network.public_half(material.private_key, scheme).address
    except (InvalidPathError, MissingExtraError):
        return None
