"""The one way out of plaintext; logged before it leaves."""

from __future__ import annotations

from strongroom.records.key_material import Revealed
from strongroom.records.usage_log import Attribution, LogEntry
from strongroom.records.wallets import WalletReference
from strongroom.secret import Secret
from strongroom.usecases.context import VaultContext
from strongroom.usecases.exposure import log_key
from strongroom.usecases.import_key import keystores_of
from strongroom.usecases.proof import prove
from strongroom.usecases.read import get_stored


def reveal(
    context: VaultContext, wallet: WalletReference, actor: Attribution, *, give_away_account: bool = False
) -> Revealed:
    """Prove, commit the log row, and only then return plaintext; see Vault.reveal."""
    stored = get_stored(context, wallet)
    material = prove(context, stored)
    private_key = context.networks.get(stored.wallet.network).format_private_key(material.private_key, material.scheme)
    log_key(context, stored, material, LogEntry("export", actor), give_away_account=give_away_account)
    return Revealed(private_key, material.mnemonic, material.passphrase, material.path, material.scheme)


def export_keystore(
    context: VaultContext,
    wallet: WalletReference,
    password: Secret,
    actor: Attribution,
    *,
    give_away_account: bool = False,
) -> str:
    """Prove, encrypt under the password, commit the log row, and only then return; see Vault.export_keystore."""
    stored = get_stored(context, wallet)
    keystores = keystores_of(context.networks.get(stored.wallet.network))
    material = prove(context, stored)
    document = keystores.make_keystore(material.private_key, password, material.scheme)
    entry = LogEntry("export", actor, {"form": "keystore"})
    log_key(context, stored, material, entry, give_away_account=give_away_account)
    return document
