"""The proof: what a sealed text holds derives what its row says. Before every write, and at any time after it."""

from __future__ import annotations

import hmac

from strongroom.crypto import sealing
from strongroom.crypto.phrase import Phrase
from strongroom.errors import (
    DerivationMismatchError,
    IdentityMismatchError,
    InvalidMnemonicError,
    KeyMissingError,
    NotSealedError,
    PhraseMismatchError,
)
from strongroom.records.key_material import Identity, KeyMaterial
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.records.wallets import Wallet
from strongroom.usecases.addresses import same_address
from strongroom.usecases.context import VaultContext


def identity_of(wallet: Wallet) -> Identity:
    """The identity that a wallet's sealed text is bound to."""
    return Identity(wallet.project_id, wallet.id, wallet.network, wallet.address)


def prove(context: VaultContext, stored: StoredWallet) -> KeyMaterial:
    """Open a stored wallet, derive its public half and compare it with the row.

    Raises KeyMissingError, NotSealedError, UnknownSealingKeyError, SealedTextCorruptError, IdentityMismatchError,
    DerivationMismatchError.
    """
    wallet = stored.wallet
    if stored.sealed_text is None:
        raise KeyMissingError(f"The wallet {wallet.id} has no vault record.")
    if stored.sealed_text in PLACEHOLDERS:
        raise NotSealedError(f"The vault record of {wallet.id} is a placeholder.")
    material = sealing.open_sealed(stored.sealed_text, identity_of(wallet), context.keyring)
    network = context.networks.get(wallet.network)
    half = network.public_half(material.private_key, material.scheme)
    if not same_address(context, wallet, half.address):
        raise DerivationMismatchError(f"The key of {wallet.id} does not derive the stored address.")
    # In legacy tables, a public half without a scheme is theirs, in forms of their own. In ours, a scheme that
    # is gone hides no key: the sealed text has it.
    if (wallet.scheme is not None or not context.store.foreign) and half.public_key != wallet.public_key:
        raise DerivationMismatchError(f"The key of {wallet.id} does not derive the stored public key.")
    # The record says which phrase it was derived from, under its tag; a text need not, and must not say another one.
    derived = (material.phrase_id, material.phrase_index)
    if None not in (material.phrase_id, wallet.phrase_id) and derived != (wallet.phrase_id, wallet.phrase_index):
        raise IdentityMismatchError(
            f"The sealed text of {wallet.id} names another phrase than its record does.", columns=("phrase_id",)
        )
    if wallet.scheme is not None and (material.scheme, material.path) != (wallet.scheme, wallet.path):
        raise IdentityMismatchError(
            f"Scheme or path of {wallet.id} in the row differ from those in its sealed text.",
            columns=("metadata",),
        )
    return material


def prove_phrase(context: VaultContext, wallet: Wallet, material: KeyMaterial) -> None:
    """Derive a wallet's key from its phrase and compare. Raises PhraseMismatchError; does nothing without one."""
    if material.mnemonic is None:
        return
    network = context.networks.get(wallet.network)
    try:
        phrase = Phrase.parse(material.mnemonic, material.passphrase)
    except InvalidMnemonicError:
        raise PhraseMismatchError(f"The stored phrase of {wallet.id} is not a valid BIP-39 phrase.") from None
    derived = network.derive(phrase, material.scheme, material.path)
    if not hmac.compare_digest(derived.private_key.reveal(), material.private_key.reveal()):
        raise PhraseMismatchError(f"The phrase of {wallet.id} does not derive its key.")
