"""What the shell completes: networks, variants, labels, formats. It asks no question and prints no error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

_MOST_LABELS = 200


def _beginning(names: Any, incomplete: str) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]


def complete_network(incomplete: str) -> list[str]:
    """Names of registered networks that begin with what was typed."""
    from strongroom.networks import TABLE

    return _beginning((*TABLE.names, *TABLE.aliases), incomplete)


def complete_variant(incomplete: str) -> list[str]:
    """Variants of addresses, of any network, that begin with what was typed."""
    from strongroom.networks import TABLE

    return _beginning((variant for network in TABLE for variant in network.variants), incomplete)


def complete_export(incomplete: str) -> list[str]:
    """The values of ``--format`` that begin with what was typed."""
    return _beginning(("key", "mnemonic", "keystore"), incomplete)


def complete_among(choices: Sequence[str]) -> Callable[[str], list[str]]:
    """A completion of fixed choices."""

    def complete(incomplete: str) -> list[str]:
        return _beginning(choices, incomplete)

    return complete


def complete_page(incomplete: str) -> list[str]:
    """Names of the pages of ``strongroom docs`` that begin with what was typed."""
    from strongroom.cli.pages import page_names

    return _beginning(page_names(), incomplete)


def complete_label(ctx: Any, incomplete: str) -> list[str]:
    """Labels of the wallets that are there, of the project that stands on the line where one does."""
    try:
        return _labels(ctx, incomplete)
    except Exception:  # noqa: BLE001 - who presses the tabulator is told nothing
        return []


def _labels(ctx: Any, incomplete: str) -> list[str]:
    from strongroom.settings import Settings
    from strongroom.wiring import open_vault

    given = {**(ctx.parent.params if ctx.parent is not None else {}), **ctx.params}
    settings = Settings.load(given.get("database"), given.get("root_key"), given.get("config"), from_arguments=True)
    if (settings.root_key or "").startswith("passphrase:"):  # it would ask for it
        return []
    with open_vault(settings) as vault:
        page = vault.list_wallets(given.get("project"), search=incomplete or None, limit=_MOST_LABELS)
    return _beginning((wallet.label for wallet in page.wallets), incomplete)
