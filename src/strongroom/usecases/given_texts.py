"""A key or phrase that a caller brings in another notation than the network's own: read with doctor's eyes."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidMnemonicError, InvalidPrivateKeyError, InvalidRequestError
from strongroom.ports.network import Network
from strongroom.ports.rescue import ReadText, TextPasswords
from strongroom.secret import Secret
from strongroom.usecases.context import VaultContext

if TYPE_CHECKING:
    from strongroom.usecases.import_key import ImportedKey

_WORD = re.compile(r"[^\W\d_]+")
_BREAK = re.compile(r"[:={}()<>]+")
"""What ends a list of words: names and structures of JSON and the like."""
_WITH_ADDRESS = (
    "With the address (--address, address=), every notation that doctor reads is tried: decimal, base64, base32, JSON, "
    "lists of bytes and more. Otherwise write the key as the network's wallets do."
)
_LOCKED = "It is under a password: --keystore FILE takes a keystore; `strongroom docs rows-gone` is about envelopes."
_MORE = "Another key or secret is in the same text: cut out the one that is meant, and give that alone."
_WORDS = (
    "There are more words than the phrase has that was read in it: one may be too many, and the rest another phrase. "
    "Give the phrase alone, or its address (--address, address=)."
)
_PHRASE = "It is a phrase: give it with --mnemonic-stdin or --mnemonic-file (mnemonic=)."
_KEY = "It is a private key: give it with --private-key-stdin or --private-key-file (private_key=)."


def in_own_notation(
    context: VaultContext, network: Network, imported_key: ImportedKey, address: str | None
) -> ImportedKey:
    """The same key or phrase as the network's wallets write it; unchanged where it is written so already.

    ``address``, in its canonical form, decides where a text may be a key or something else. Raises
    InvalidPrivateKeyError and InvalidMnemonicError, with what to do, where no key, or more than one, is read.
    """
    key, mnemonic = imported_key.private_key, imported_key.mnemonic
    try:
        if key is not None:
            network.parse_private_key(key)
        elif mnemonic is not None:
            Phrase.parse(mnemonic)
    except (InvalidPrivateKeyError, InvalidMnemonicError) as error:
        given = key or mnemonic
        assert given is not None  # noqa: S101 - one of them was parsed
        return _otherwise(context, network, replace(imported_key, address=address), given, error)
    return imported_key


def _otherwise(
    context: VaultContext, network: Network, imported_key: ImportedKey, given: Secret, error: InvalidRequestError
) -> ImportedKey:
    read = _read(context, network, given, imported_key.address or "")
    if read is None:
        raise error from None
    material, of_key = read.material, imported_key.private_key is not None
    if read.is_locked:
        error.hint = _LOCKED
    elif material is None or read.network != network.name:
        error.hint = _WITH_ADDRESS if of_key and imported_key.address is None else error.hint
    elif read.holds_more:
        error.hint = _MORE
    elif of_key is not (material.mnemonic is None):
        error.hint = _PHRASE if of_key else _KEY
    elif material.mnemonic is not None and imported_key.address is None and _has_more_words(given, material.mnemonic):
        error.hint = _WORDS
    elif of_key:
        written = network.format_private_key(material.private_key, material.scheme)
        return replace(imported_key, private_key=written)
    else:
        return replace(imported_key, mnemonic=material.mnemonic)
    raise error from None


def _has_more_words(given: Secret, mnemonic: Secret) -> bool:
    """Whether more words follow each other in a text than the phrase has that was read in it.

    Of thirteen words twelve may be a phrase by chance, one time in sixteen: nobody brought that one.
    """
    runs = _BREAK.split(unicodedata.normalize("NFC", given.reveal_text()))
    return max(len(_WORD.findall(run)) for run in runs) > len(mnemonic.reveal().split())


def _read(context: VaultContext, network: Network, given: Secret, address: str) -> ReadText | None:
    """What doctor reads in a text; None where it is none. No frame that raises holds the text itself."""
    try:
        return context.texts.read(given.reveal_text(), network.name, address, TextPasswords())
    except UnicodeDecodeError:
        return None
