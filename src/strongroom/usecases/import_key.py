"""Take an existing key into the vault."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from strongroom.errors import (
    AddressMismatchError,
    InvalidAddressError,
    InvalidKeystoreError,
    InvalidPathError,
    InvalidRequestError,
)
from strongroom.identifiers import check_text
from strongroom.model import Actor, Created, KeyMaterial, LogEntry
from strongroom.phrase import Phrase
from strongroom.ports import KeystoreNetwork, Network
from strongroom.secret import Secret
from strongroom.usecases.create import find_answer, seal_new, write
from strongroom.usecases.order import Wish, check_order
from strongroom.usecases.parts import Parts


@dataclass(frozen=True, slots=True)
class Given:
    """The key that a caller brings: a private key, or a phrase with what belongs to it."""

    private_key: Secret | None
    mnemonic: Secret | None
    passphrase: Secret | None
    path: str | None
    address: str | None
    keystore: Secret | None = None
    keystore_password: Secret | None = None


def import_wallet(parts: Parts, wish: Wish, given: Given, actor: Actor, connection: Any | None) -> Created:
    """Seal a key that the caller brings; see Vault.import_wallet."""
    check_given(given)
    plain = check_order(parts, wish, "import", {})
    material = material_of(plain.network, plain.scheme, given)
    half = plain.network.public_half(material.private_key, material.scheme)
    if given.address is not None and plain.network.parse_address(given.address) != half.address:
        raise AddressMismatchError("The key derives another address than the given one; nothing was written.")
    facts = {**plain.request.facts, "address": half.address, "path": material.path or ""}
    order = replace(plain, address=half.address, request=replace(plain.request, facts=facts))
    if connection is None and (found := find_answer(parts, order)) is not None:
        return Created(found, created=False)
    source = next(name for name in ("private_key", "mnemonic", "keystore") if getattr(given, name) is not None)
    new = seal_new(parts, order, material, half, LogEntry("import", actor, {"source": source}))
    return write(parts, order, new, connection)


def check_given(given: Given) -> None:
    """Raise InvalidRequestError where the parts of what is given do not go together."""
    if sum(each is not None for each in (given.private_key, given.mnemonic, given.keystore)) != 1:
        raise _not_one()
    if given.address is not None:
        check_text(given.address, InvalidAddressError)
    if given.path is not None:
        check_text(given.path, InvalidPathError)
    if given.mnemonic is None and (given.passphrase is not None or given.path is not None):
        raise InvalidRequestError("A passphrase or a path goes with a mnemonic, not with a key.")
    if (given.keystore is None) != (given.keystore_password is None):
        raise InvalidRequestError("A keystore and its password go together.")


def material_of(network: Network, scheme: str, given: Given) -> KeyMaterial:
    """Read the key that is given. Raises InvalidRequestError."""
    if given.mnemonic is not None:
        return network.derive(Phrase.parse(given.mnemonic, given.passphrase), scheme, given.path)
    if given.private_key is not None:
        return KeyMaterial(network.parse_private_key(given.private_key), scheme)
    if given.keystore is not None and given.keystore_password is not None:
        return KeyMaterial(keystores_of(network).open_keystore(given.keystore, given.keystore_password), scheme)
    raise _not_one()


def keystores_of(network: Network) -> KeystoreNetwork:
    """The network's keystores. Raises InvalidKeystoreError where it has none."""
    if not isinstance(network, KeystoreNetwork):
        raise InvalidKeystoreError(f"Keys of {network.name} are not kept in Web3 Secret Storage documents.")
    return network


def _not_one() -> InvalidRequestError:
    return InvalidRequestError("Give a private key, a mnemonic, or a keystore: one of them.")
