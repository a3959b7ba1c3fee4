"""The public key of an account of a phrase: proved, and written down, before it leaves."""

from __future__ import annotations

from functools import partial

from strongroom.errors import AccountExposedError, DerivationMismatchError, XpubNotSupportedError
from strongroom.ports.network import WatchOnlyNetwork
from strongroom.records.phrases import FINGERPRINT_DIGITS
from strongroom.records.usage_log import Attribution
from strongroom.records.watch_only import AccountXpub, branch_of
from strongroom.usecases.context import VaultContext
from strongroom.usecases.exposure import log_xpub
from strongroom.usecases.phrase_accounts import INDEX, key_of
from strongroom.usecases.phrase_reading import phrase_event
from strongroom.usecases.phrase_source import DeriveRequest, PhraseSource, open_source, validate_derive

_ACCOUNT = 3
"""How many elements the path of an account has. BIP-44."""


def export_xpub(
    context: VaultContext, request: DeriveRequest, actor: Attribution, *, give_away_account: bool
) -> AccountXpub:
    """Derive the xpub of an account, prove it, commit its event, and only then return it; see Vault.export_xpub."""
    checked = validate_derive(context, request, "default")
    source = context.store.run_key_work(partial(open_source, context, request, checked, allow_replaced=True))
    xpub = context.store.run_key_work(partial(_derived, source))
    if xpub.path.count("/") < _ACCOUNT and not give_away_account:
        raise AccountExposedError(
            f"The xpub at {xpub.path} is above the accounts of BIP-44: together with one private key of a wallet right "
            "below it, it gives away the keys of every account below it, hardened ones too.",
            hint="Take a path whose last hardened element is the account, such as m/44'/60'/0'/0/{index}; or say that "
            "it is wanted: give_away_account=True (--give-away-account).",
        )
    account = source.account
    details = {"network": account.network, "variant": account.variant, "template": account.template, "path": xpub.path}
    event = phrase_event("xpub-export", source.stored.record, actor, **details)
    log_xpub(context, account, xpub.path, event, give_away_account=give_away_account)
    return xpub


def _derived(source: PhraseSource) -> AccountXpub:
    """The xpub of an account, from which the address of its index 0 was derived again and compared."""
    network, account = source.network, source.account
    if not isinstance(network, WatchOnlyNetwork):
        raise XpubNotSupportedError(
            f"Keys of {network.name} are derived by hardened elements only: no public key derives their addresses.",
            hint="Create the wallets in the vault, and hand out the list of their addresses.",
        )
    branch = branch_of(account.template)
    if INDEX in branch:
        raise XpubNotSupportedError(
            "A hardened element of this path is the index, or stands after it: each wallet has a branch of its own.",
            hint="Take an account whose index comes after the last hardened element, such as m/44'/60'/0'/0/{index}.",
        )
    watched = network.watched(source.phrase, source.scheme, account.template)
    material = key_of(network, source.phrase, source.scheme, account, 0)
    address = network.public_half(material.private_key, material.scheme).address
    if watched.path != branch or network.watched_address(watched, source.scheme, source.path(0)) != address:
        raise DerivationMismatchError("The xpub does not derive the address of the account's index 0.")
    return AccountXpub(
        account.project_id,
        account.phrase_id,
        account.network,
        account.variant,
        account.template,
        watched.path,
        source.stored.record.identifier[:FINGERPRINT_DIGITS],
        watched.xpub,
        watched.slip132,
        watched.descriptor,
    )
