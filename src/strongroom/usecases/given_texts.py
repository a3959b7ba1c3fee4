"""A key or phrase that a caller brings in another notation than the network's own: read with doctor's eyes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidMnemonicError, InvalidPrivateKeyError, InvalidRequestError
from strongroom.ports.network import Network
from strongroom.ports.rescue import KeyChoice, ReadText, TextPasswords
from strongroom.records.key_material import KeyMaterial
from strongroom.secret import Secret
from strongroom.usecases.context import VaultContext

if TYPE_CHECKING:
    from strongroom.usecases.import_key import ImportedKey

_WITH_ADDRESS = (
    "With the address (--address, address=), every notation that doctor reads is tried: decimal, base64, base32, JSON, "
    "lists of bytes, children of extended keys and more. Otherwise write the key as the network's wallets do."
)
_LOCKED = "It is under a password: --keystore FILE takes a keystore; `strongroom docs rows-gone` is about envelopes."
_MORE = "Another key or secret is in the same text: cut out the one that is meant, and give that alone."
_WORDS = (
    "There are more words than the phrase has that was read in it: one may be too many, and the rest another phrase. "
    "Give the phrase alone, or its address (--address, address=)."
)
_OTHER_NETWORK = (
    "It is written as a key of another network is. With the address (--address, address=) that its wallet has on this "
    "one it is taken for it."
)
_OTHER_ADDRESS = (
    "The text names an address, and its key derives another one: say which wallet is meant, with --address (address=), "
    "or with --variant or --path."
)
_OTHER_PATH = (
    "The text names a path for its phrase: give it with --path (path=), or the address with --address (address=)."
)
_PHRASE = "It is a phrase: give it with --mnemonic-stdin or --mnemonic-file (mnemonic=)."
_KEY = "It is a private key: give it with --private-key-stdin or --private-key-file (private_key=)."


def in_own_notation(
    context: VaultContext, network: Network, imported_key: ImportedKey, address: str | None, variant: str | None = None
) -> ImportedKey:
    """The same key or phrase as the network's wallets write it; unchanged where it is written so already.

    ``address``, in its canonical form, decides where a text may be a key or something else; without one, no key is
    taken that is another network's by its form, nor one whose text names another address or path than those it would be
    imported with, in the ``variant`` asked for. Raises InvalidPrivateKeyError and InvalidMnemonicError, with what to
    do, where no key, or more than one, is read.
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
        choice = KeyChoice(variant, imported_key.paths[0] if len(imported_key.paths) == 1 else None)
        return _otherwise(context, network, replace(imported_key, address=address), given, choice, error)
    return imported_key


def _otherwise(
    context: VaultContext,
    network: Network,
    imported_key: ImportedKey,
    given: Secret,
    choice: KeyChoice,
    error: InvalidRequestError,
) -> ImportedKey:
    read = _read(context, network, given, imported_key.address or "", choice)
    if read is None:
        raise error from None
    material, of_key = read.material, imported_key.private_key is not None
    if read.is_locked:
        error.hint = _LOCKED
    elif material is None or read.network != network.name:
        error.hint = _WITH_ADDRESS if of_key and imported_key.address is None else error.hint
    elif read.holds_more and not read.is_of_many:
        error.hint = _MORE
    elif of_key is not (material.mnemonic is None):
        error.hint = _PHRASE if of_key else _KEY
    elif imported_key.address is None and (hint := _says_otherwise(network, read, material)):
        error.hint = hint
    elif of_key:
        written = network.format_private_key(material.private_key, material.scheme)
        return replace(imported_key, private_key=read.written or written)
    elif material.path in read.paths and not imported_key.paths:
        return replace(imported_key, mnemonic=material.mnemonic, path=material.path)
    else:
        return replace(imported_key, mnemonic=material.mnemonic)
    raise error from None


def _says_otherwise(network: Network, read: ReadText, material: KeyMaterial) -> str:
    """What to do where a text says that its key is another wallet's than the one that would be made of it.

    Of thirteen words the last twelve may be a phrase by chance, one time in sixteen: nobody brought that one.
    """
    if read.written is not None and material.mnemonic is not None:
        return _WORDS
    if read.written is not None and not _is_of(network, read.written):
        return _OTHER_NETWORK
    if material.mnemonic is not None and read.paths and material.path not in read.paths:
        return _OTHER_PATH
    return _OTHER_ADDRESS if read.addresses and read.address not in read.addresses else ""


def _is_of(network: Network, written: Secret) -> bool:
    try:
        network.parse_private_key(written)
    except InvalidPrivateKeyError:
        return False
    return True


def _read(context: VaultContext, network: Network, given: Secret, address: str, choice: KeyChoice) -> ReadText | None:
    """What doctor reads in a text; None where it is none. No frame that raises holds the text itself."""
    try:
        return context.texts.read(given.reveal_text(), network.name, address, TextPasswords(), choice)
    except UnicodeDecodeError:
        return None
