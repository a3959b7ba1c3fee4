"""Complete a credential whose vault record is missing or a placeholder."""

from __future__ import annotations

import hmac
from dataclasses import replace
from uuid import UUID

from strongroom import sealing
from strongroom.errors import AddressMismatchError, ContentionError, KeyConflictError, OutcomeUnknownError
from strongroom.model import PLACEHOLDERS, Actor, KeyMaterial, LogEntry, Stored, StoredWallet, Wallet
from strongroom.usecases.foreign import same_address
from strongroom.usecases.import_key import Given, check_given, material_of
from strongroom.usecases.parts import Parts
from strongroom.usecases.proof import identity_of, prove
from strongroom.usecases.read import get_stored
from strongroom.usecases.unknown import asking

_ATTEMPTS = 5


def store_key(parts: Parts, wallet: UUID | str | Wallet, given: Given, variant: str | None, actor: Actor) -> Stored:
    """Read the identity, seal, then one conditional write; see Vault.store_key."""
    check_given(given)
    material: KeyMaterial | None = None
    unknown: OutcomeUnknownError | None = None
    sent: set[str | None] = set()
    for _ in range(_ATTEMPTS):
        with asking(unknown):
            stored = get_stored(parts, wallet)
        if material is None:
            material = _material(parts, stored.wallet, given, variant)
        if stored.sealed_text is not None and stored.sealed_text not in PLACEHOLDERS:
            _require_same_key(parts, stored, material)
            return Stored(stored.wallet, stored=stored.sealed_text in sent)
        text = seal_for(parts, stored, material)
        sent.add(text)
        try:
            with asking(unknown):
                filled = parts.store.fill(stored, text, LogEntry("fill", actor), parts.clock())
        except OutcomeUnknownError as error:
            unknown = error
            continue  # the next look says whether it was committed
        if filled:
            with asking(OutcomeUnknownError("The key was stored, and then the database could not be reached.")):
                return Stored(get_stored(parts, stored.wallet).wallet, stored=True)
    raise unknown or ContentionError("The row changed several times in a row; nothing was written.")


def seal_for(parts: Parts, stored: StoredWallet, material: KeyMaterial) -> str:
    """Seal a key for a row that is there, and prove it: what is opened again derives what the row says."""
    half = parts.networks.get(stored.wallet.network).public_half(material.private_key, material.scheme)
    if not same_address(parts, stored.wallet, half.address):
        raise AddressMismatchError(f"The key does not derive the address of {stored.wallet.id}; nothing was changed.")
    text = sealing.seal(material, identity_of(stored.wallet), parts.keyring.active_kid, parts.keyring)
    prove(parts, replace(stored, sealed_text=text))
    return text


def _material(parts: Parts, wallet: Wallet, given: Given, variant: str | None) -> KeyMaterial:
    """The key that derives the stored address, by the scheme asked for or by any that the network has.

    A row that says scheme and path is taken at its word: its sealed text says the same.
    """
    network = parts.networks.get(wallet.network)
    if given.mnemonic is not None and given.path is None:
        given = replace(given, path=wallet.path)
    for each in network.variants if variant is None else (variant,):
        material = material_of(network, network.scheme(each), given)
        if same_address(parts, wallet, network.public_half(material.private_key, material.scheme).address):
            if material.mnemonic is None and wallet.scheme is not None:
                return replace(material, scheme=wallet.scheme, path=wallet.path)
            return material
    raise AddressMismatchError(f"The key does not derive the address of {wallet.id}; nothing was changed.")


def _require_same_key(parts: Parts, stored: StoredWallet, material: KeyMaterial) -> None:
    wallet_id = stored.wallet.id
    if stored.wallet.custody != "ours":
        raise KeyConflictError(
            f"The vault record of {wallet_id} holds another application's text; nothing was changed.",
            hint="strongroom neither opens nor replaces it.",
        )
    opened = prove(parts, stored)
    if not hmac.compare_digest(opened.private_key.reveal(), material.private_key.reveal()):
        raise KeyConflictError(f"The vault record of {wallet_id} holds another key; nothing was changed.")
