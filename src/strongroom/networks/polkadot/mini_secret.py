"""The mini-secret of a phrase: stretched from its entropy, not from its words. substrate-bip39."""

from __future__ import annotations

import hashlib
import unicodedata

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidMnemonicError
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
    if phrase.passphrase is not None and not _has_one_form(phrase.passphrase):
        raise InvalidMnemonicError(
            "The passphrase has characters that this network's wallets do not normalise.",
            hint="Import the private key (the mini-secret, `subkey inspect` prints it) instead of the phrase.",
        )
    return phrase.branches.keep("mini-secret", (), _stretch(phrase.entropy(), phrase.passphrase))


def _has_one_form(passphrase: Secret) -> bool:
    return unicodedata.normalize("NFC", passphrase.reveal_text()) == passphrase.reveal_text()


def _stretch(entropy: Secret, passphrase: Secret | None) -> Secret:
    salt = Secret(b"mnemonic" + (b"" if passphrase is None else passphrase.reveal()))
    return Secret(hashlib.pbkdf2_hmac("sha512", entropy.reveal(), salt.reveal(), _ROUNDS)[:_BYTES])
