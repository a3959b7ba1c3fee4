"""Take an existing key into the vault."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from strongroom.crypto import phrase_search
from strongroom.crypto.phrase import Phrase
from strongroom.errors import (
    AddressMismatchError,
    InvalidAddressError,
    InvalidKeystoreError,
    InvalidMnemonicError,
    InvalidPathError,
    InvalidPrivateKeyError,
    InvalidRequestError,
    PhraseCaseWarning,
    SharedKeyWarning,
    StoreError,
)
from strongroom.ports.network import KeystoreNetwork, Network
from strongroom.records.identifiers import check_text
from strongroom.records.key_material import KeyMaterial, PublicHalf
from strongroom.records.usage_log import Attribution, LogEntry
from strongroom.records.wallets import Created, Wallet
from strongroom.secret import Secret
from strongroom.usecases.answers import find_answer
from strongroom.usecases.context import VaultContext
from strongroom.usecases.create import seal_new, write
from strongroom.usecases.given_texts import in_own_notation
from strongroom.usecases.requests import CreateRequest, validate_request


@dataclass(frozen=True, slots=True)
class ImportedKey:
    """The key that a caller brings: a private key, or a phrase with what belongs to it."""

    private_key: Secret | None
    mnemonic: Secret | None
    passphrase: Secret | None
    path: str | Sequence[str] | None
    """The derivation path; several are candidates, of which an address chooses."""
    address: str | None
    keystore: Secret | None = None
    keystore_password: Secret | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths that were named. Raises InvalidPathError where it is neither a text nor a list of them."""
        if self.path is None or isinstance(self.path, str):
            return () if self.path is None else (self.path,)
        if isinstance(self.path, bytes) or not isinstance(self.path, Sequence):
            raise InvalidPathError("A path is a text such as m/44'/60'/0'/0/0, or a list of such texts.")
        return tuple(self.path)


def import_wallet(
    context: VaultContext, request: CreateRequest, imported_key: ImportedKey, actor: Attribution
) -> Created:
    """Seal a key that the caller brings; see Vault.import_wallet."""
    check_imported_key(imported_key)
    plain = validate_request(context, request, "import", {})
    address = None if imported_key.address is None else plain.network.parse_address(imported_key.address)
    read = partial(in_own_notation, context, plain.network, imported_key, address, request.variant)
    imported_key = context.store.run_key_work(read)
    scheme = None if request.variant is None else plain.scheme
    material, half = context.store.run_key_work(partial(_derived, plain.network, scheme, imported_key, address))
    if address is not None and address != half.address:
        raise AddressMismatchError("The key derives another address than the given one; nothing was written.")
    warn_of_capitals(imported_key, stacklevel=5)
    facts = {**plain.request.facts, "address": half.address, "path": material.path or ""}
    validated = replace(plain, address=half.address, request=replace(plain.request, facts=facts))
    if context.store.durable and (found := find_answer(context, validated)) is not None:
        return Created(found, created=False)
    source = next(name for name in ("private_key", "mnemonic", "keystore") if getattr(imported_key, name) is not None)
    sealed = partial(seal_new, context, validated, material, half, LogEntry("import", actor, {"source": source}))
    imported = write(context, validated, context.store.run_key_work(sealed), sealed)
    if context.store.durable:
        _warn_of_shared_key(context, imported.wallet)
    return imported


def _derived(
    network: Network, scheme: str | None, imported_key: ImportedKey, address: str | None
) -> tuple[KeyMaterial, PublicHalf]:
    material = material_of(network, scheme, imported_key, address)
    return material, network.public_half(material.private_key, material.scheme)


def _warn_of_shared_key(context: VaultContext, wallet: Wallet) -> None:
    """Warn where another project's wallet has the same address: the nonce guard does not reach across projects."""
    try:
        found = context.store.wallets.find_by_address([wallet.address])
    except StoreError:
        return  # the wallet is there; `verify` warns as well
    projects = {stored.wallet.project_id for stored in found} - {wallet.project_id}
    if projects:
        warnings.warn(
            f"Another project has a wallet with the address of {wallet.id}: each may sign under the other's nonces.",
            SharedKeyWarning,
            stacklevel=4,
        )


def warn_of_capitals(imported_key: ImportedKey, stacklevel: int) -> None:
    """Warn where a phrase that was given had capitals, which are no part of any word and were made small."""
    try:
        lowered = imported_key.mnemonic is not None and Phrase.parse(imported_key.mnemonic).lowered
    except InvalidMnemonicError:  # it was read in another notation
        return
    if lowered:
        message = "The phrase was given with capitals; it was lower-cased."
        warnings.warn(message, PhraseCaseWarning, stacklevel=stacklevel)


def check_imported_key(imported_key: ImportedKey) -> None:
    """Raise InvalidRequestError where the parts of what is given do not go together."""
    if sum(each is not None for each in (imported_key.private_key, imported_key.mnemonic, imported_key.keystore)) != 1:
        raise _not_one()
    if imported_key.address is not None:
        check_text(imported_key.address, InvalidAddressError)
    if len(imported_key.paths) > phrase_search.MOST_PATHS:
        raise InvalidPathError(f"More than {phrase_search.MOST_PATHS:,} paths were named.")
    for path in imported_key.paths:
        check_text(path, InvalidPathError)
    if imported_key.mnemonic is None and (imported_key.passphrase is not None or imported_key.paths):
        raise InvalidRequestError("A passphrase or a path goes with a mnemonic, not with a key.")
    if (imported_key.keystore is None) != (imported_key.keystore_password is None):
        raise InvalidRequestError("A keystore and its password go together.")


def material_of(network: Network, scheme: str | None, imported_key: ImportedKey, address: str | None) -> KeyMaterial:
    """Read the key that is given.

    ``scheme`` is that of the variant asked for, or None; ``address`` the one, in its canonical form, that the key is to
    derive, or None. With an address, a phrase is tried at the paths that were named, else wherever wallets of the
    network have kept their keys, and a key in each scheme that such an address has. Raises InvalidRequestError, and
    AddressMismatchError where no path of a phrase derives the address.
    """
    if imported_key.mnemonic is not None:
        return _of_phrase(network, scheme, imported_key, address)
    if imported_key.private_key is not None:
        key = network.parse_private_key(imported_key.private_key)
        said = network.scheme_of_key(imported_key.private_key, scheme)
        if scheme is not None or address is None:
            return KeyMaterial(key, said)
        return _in_any_scheme(network, key, said, address)
    if imported_key.keystore is not None and imported_key.keystore_password is not None:
        key = keystores_of(network).open_keystore(imported_key.keystore, imported_key.keystore_password)
        return KeyMaterial(key, network.scheme_of_key(imported_key.keystore, scheme))
    raise _not_one()


def _of_phrase(network: Network, scheme: str | None, imported_key: ImportedKey, address: str | None) -> KeyMaterial:
    assert imported_key.mnemonic is not None  # noqa: S101 - the caller looked
    phrase = Phrase.parse(imported_key.mnemonic, imported_key.passphrase)
    if address is not None:
        material = _search(network, phrase, scheme, imported_key.paths, address)
    elif len(imported_key.paths) > 1:
        raise InvalidPathError("Several paths are candidates.", hint="Say with the address which of them it is.")
    else:
        material = network.derive(phrase, scheme or network.scheme(None), *imported_key.paths)
    return material


def _search(network: Network, phrase: Phrase, scheme: str | None, paths: Sequence[str], address: str) -> KeyMaterial:
    found = phrase_search.find(network, phrase, address, paths, scheme=scheme, named_only=bool(paths))
    if found.material is None:
        which = "None of the paths that were named" if paths else "No known path"
        raise AddressMismatchError(
            f"{which} derives the given address from the phrase: {found.tried:,} were tried; nothing was written.",
            hint="Name others with --path or --paths FILE (path= in Python). A passphrase changes every address.",
        )
    return found.material


def _in_any_scheme(network: Network, key: Secret, said: str, address: str) -> KeyMaterial:
    """The key in the scheme that derives an address; where none does, in the one that its text says, or the default."""
    for scheme in network.schemes_of(address):
        if _address(network, key, scheme) == address:
            return KeyMaterial(key, scheme)
    return KeyMaterial(key, said)


def _address(network: Network, key: Secret, scheme: str) -> str | None:
    """The address of a key in a scheme; None where that is not for such a key."""
    try:
        return network.public_half(key, scheme).address
    except InvalidPrivateKeyError:
        return None


def keystores_of(network: Network) -> KeystoreNetwork:
    """The network's keystores. Raises InvalidKeystoreError where it has none."""
    if not isinstance(network, KeystoreNetwork):
        raise InvalidKeystoreError(f"Keys of {network.name} are not exchanged as keystores.")
    return network


def _not_one() -> InvalidRequestError:
    return InvalidRequestError("Give a private key, a mnemonic, or a keystore: one of them.")
