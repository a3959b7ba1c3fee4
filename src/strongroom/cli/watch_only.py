"""``strongroom phrase export-xpub`` and ``discover``: addresses that others derive, and addresses in use elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from strongroom.cli.actors import actor_or_user
from strongroom.cli.command import CommandContext, command
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.failures import CommandLineError
from strongroom.cli.options import (
    Account,
    Actor,
    GiveAwayAccount,
    IndexPath,
    OfPhrase,
    OneNetwork,
    PhraseOwner,
    Reason,
    Variant,
)
from strongroom.cli.output import counted
from strongroom.cli.phrase_reference import reference_of
from strongroom.cli.secret_input import lines_of

if TYPE_CHECKING:
    from strongroom.ports.network import Network
    from strongroom.records.watch_only import DiscoveredWallets

_EXAMPLE = "--project 6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11"
_XPUB_UNSURE = "The export may be in the events already, and the account marked; nothing else was changed."
_UNSURE = "Wallets that were made stay; run the same command again, it goes on where it was."


def add(app: typer.Typer) -> None:
    """Add both commands to ``strongroom phrase``."""
    command(
        app,
        "export-xpub",
        unsure=_XPUB_UNSURE,
        epilog=f"Example: strongroom phrase export-xpub bitcoin {_EXAMPLE} --variant taproot",
    )(export_xpub)
    command(
        app,
        "discover",
        unsure=_UNSURE,
        epilog=f"Example: strongroom phrase discover ethereum {_EXAMPLE} --used addresses.txt",
    )(discover)


def export_xpub(
    context: CommandContext,
    network: OneNetwork,
    project: PhraseOwner,
    phrase: OfPhrase = "default",
    variant: Variant = None,
    account: Account = None,
    path: IndexPath = None,
    give_away_account: GiveAwayAccount = False,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Print the extended public key of an account, from which every address follows and no key.

    It is proved and logged first. From then on private keys of the account's wallets are not exported any more:
    the two together give away every key of the account.
    """
    who, why = actor_or_user(actor), reason or "strongroom phrase export-xpub"
    with context.vault() as vault:
        found = vault.export_xpub(
            project,
            network,
            phrase=reference_of(phrase),
            variant=variant,
            account=account,
            path=path,
            give_away_account=give_away_account,
            actor=who,
            reason=why,
        )
    if context.out.as_json:
        context.out.document({"account": found.as_dict()})
    else:
        lines = [("path", found.path), ("fingerprint", found.fingerprint), ("xpub", found.xpub)]
        lines += [] if found.slip132 is None else [("slip132", found.slip132)]
        lines += [] if found.descriptor is None else [("descriptor", found.descriptor)]
        context.out.script("\n".join(f"{name:<13}{value}" for name, value in lines))
    context.out.message(
        "Exported; the events have a row of it. Keys of this account leave the vault only with --give-away-account."
    )
    return EXIT_DONE


def discover(
    context: CommandContext,
    network: OneNetwork,
    project: PhraseOwner,
    used: Annotated[
        str,
        typer.Option("--used", metavar="FILE", help="Addresses that are in use, one a line; # begins a comment."),
    ],
    phrase: OfPhrase = "default",
    variant: Variant = None,
    account: Account = None,
    path: IndexPath = None,
    gap: Annotated[
        int, typer.Option("--gap", metavar="N", help="How many unused addresses in a row end the search.")
    ] = 20,
    most: Annotated[int, typer.Option("--most", metavar="N", help="Look at so many addresses at most.")] = 10_000,
    label_prefix: Annotated[
        str, typer.Option("--label-prefix", metavar="TEXT", help="Labels are this and the index.")
    ] = "discovered-",
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Make wallets for the addresses of a phrase that are in use, up to the highest index, as a list says.

    For a phrase that comes from elsewhere. May be repeated: what is there stays as it is.
    """
    from strongroom.networks import TABLE

    with context.vault() as vault:
        listed = _addresses(TABLE.get(network), used) if network in TABLE else set()
        found: set[str] = set()

        def is_used(address: str) -> bool:
            if address in listed:
                found.add(address)
            return address in listed

        result = vault.discover(
            project,
            network,
            is_used=is_used,
            phrase=reference_of(phrase),
            variant=variant,
            account=account,
            path=path,
            gap=gap,
            most=most,
            label_prefix=label_prefix,
            actor=actor_or_user(actor),
            reason=reason,
        )
    _render(context, result, sorted(listed - found))
    return EXIT_DONE


def _addresses(network: Network, file: str) -> set[str]:
    """The addresses in a file, in their canonical form. Raises CommandLineError."""
    from strongroom.errors import InvalidAddressError

    found = set()
    for number, line in enumerate(lines_of(Path(file), "addresses"), 1):
        text = line.partition("#")[0].strip()
        try:
            found |= {network.parse_address(text)} if text else set()
        except InvalidAddressError:
            raise CommandLineError(
                f"Line {number} of the file is not an address of {network.name}.", "Write one address a line."
            ) from None
    return found


def _render(context: CommandContext, result: DiscoveredWallets, unmatched: list[str]) -> None:
    if context.out.as_json:
        context.out.document({**result.as_dict(), "unmatched": unmatched})
    elif result.wallets:
        rows = [(str(wallet.phrase_index), wallet.address, str(wallet.id)) for wallet, _ in result.wallets]
        context.out.table(("Index", "Address", "Wallet id"), rows, folded={"Wallet id": "Address"})
    context.out.message(
        f"{len(result.used):,} of {result.asked:,} addresses are in use; "
        f"{counted(len(result.wallets), 'wallet')} created."
    )
    if unmatched:
        context.out.message(
            f"Not met, of the list: {len(unmatched):,}. They are of another account, variant or phrase, or beyond "
            "the gap."
        )
