"""The mini-secret of a phrase: stretched from its entropy, not from its words. substrate-bip39."""

from __future__ import annotations

import hashlib

from strongroom.crypto.phrase import Phrase
from strongroom.secret import Secret

_ROUNDS = 2048
_BYTES = 32


def of(phrase: Phrase) -> Secret:
    """32 bytes.

    Raises InvalidMnemonicError for words that mean another entropy in each of two languages, and for a passphrase with
    characters that have a composed form: wallets of Substrate take it as it was typed, and it is kept decomposed.
    """
    known = phrase.branches.get("mini-secret", ())
    if known is not None:
        return known
    return phrase.branches.keep("mini-secret", (), _stretch(phrase.entropy(), phrase.passphrase_as_typed()))


def _stretch(entropy: Secret, passphrase: Secret | None) -> Secret:
    salt = Secret(b"mnemonic" + (b"" if passphrase is None else passphrase.reveal()))
    return Secret(hashlib.pbkdf2_hmac("sha512", entropy.reveal(), salt.reveal(), _ROUNDS)[:_BYTES])
