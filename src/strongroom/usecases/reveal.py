"""The one way out of plaintext; logged before it leaves."""

from __future__ import annotations

from uuid import UUID

from strongroom.model import Actor, LogEntry, Revealed, Wallet
from strongroom.secret import Secret
from strongroom.usecases.import_key import keystores_of
from strongroom.usecases.parts import Parts
from strongroom.usecases.proof import prove
from strongroom.usecases.read import get_stored


def reveal(parts: Parts, wallet: UUID | str | Wallet, actor: Actor) -> Revealed:
    """Prove, commit the log row, and only then return plaintext; see Vault.reveal."""
    stored = get_stored(parts, wallet)
    material = prove(parts, stored)
    private_key = parts.networks.get(stored.wallet.network).format_private_key(material.private_key, material.scheme)
    parts.store.log.write_log(stored, LogEntry("export", actor), parts.clock())
    return Revealed(private_key, material.mnemonic, material.passphrase, material.path, material.scheme)


def export_keystore(parts: Parts, wallet: UUID | str | Wallet, password: Secret, actor: Actor) -> str:
    """Prove, encrypt under the password, commit the log row, and only then return; see Vault.export_keystore."""
    stored = get_stored(parts, wallet)
    keystores = keystores_of(parts.networks.get(stored.wallet.network))
    document = keystores.make_keystore(prove(parts, stored).private_key, password)
    parts.store.log.write_log(stored, LogEntry("export", actor, {"form": "keystore"}), parts.clock())
    return document
