"""Whether a key that was read from a text is that of another project's wallet: a text proves no project.

A phrase is as good as every key of it: so all of those count that wallets usually have, and those at the paths that
the register has of other projects, whichever was read.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from strongroom.crypto import sealing
from strongroom.crypto.phrase import Phrase
from strongroom.errors import StrongroomError
from strongroom.ports.network import Network
from strongroom.records.conventions import DerivationPath, derivation_paths
from strongroom.records.key_material import KeyMaterial, PublicHalf
from strongroom.records.register import UNPROVED, Registered
from strongroom.records.spellings import spellings
from strongroom.records.wallets import Wallet
from strongroom.usecases.addresses import address_table, same_address
from strongroom.usecases.context import VaultContext
from strongroom.usecases.keys_of_phrases import PhraseKeys
from strongroom.usecases.ownership import has_wallets_of_others, opened_by_header
from strongroom.usecases.phrases_of_projects import PhraseOfProject, opened_phrase, phrases_of_projects, words_of
from strongroom.usecases.recorded_places import RecordedPath, RecordedPlaces, too_many
from strongroom.usecases.register import recorded
from strongroom.usecases.row_comparison import wallet_of
from strongroom.usecases.texts_anywhere import texts_anywhere

MOST_LEVELS = 60_000
"""Levels of all those paths that one call derives, which takes about three seconds: anyone may have written them."""


class DerivationBudget:
    """How many levels of paths one call derives at most, for all of its keys."""

    def __init__(self, levels: int = MOST_LEVELS) -> None:
        self._left = levels

    def take(self, path: str) -> None:
        """Raise KeyConflictError where no more is derived."""
        self._left -= path.count("/") + 1
        if self._left < 0:
            raise too_many()


def is_elsewhere(
    context: VaultContext,
    material: KeyMaterial,
    project_id: UUID,
    budget: DerivationBudget | None = None,
    *,
    takes: bool = False,
) -> bool:
    """Whether a wallet of another project has this key, on whatever network: by register, rows and sealed texts.

    Of a phrase it is any key, with the passphrase that is stored with it and without one, and the phrase itself.
    ``takes``: a wallet that nothing proves would take the key as its own, so that it is also another project's where a
    text that was kept aside names its address, or a phrase of that project has it at an index.

    Raises KeyConflictError where that cannot be told: ``RecordedPlaces``, ``texts_anywhere``, ``PhraseKeys``.
    ``budget``: one for all keys of a call.
    """
    if context.keys_of_others is not None:
        return context.keys_of_others.is_elsewhere(material, project_id, takes=takes)
    words, known = phrase_of(material), set[tuple[UUID, UUID]]()
    derived = PhraseKeys(context) if takes and words is None else None
    for found in phrases_of_projects(context) if words is not None or derived is not None else ():
        if found.project_id != project_id and _has(found, material, words, derived):
            return True
        known.add((found.project_id, found.phrase_id))
    recorded_paths = [] if words is None else RecordedPlaces(context, known).of_others(project_id)
    halves = [*of_key(context, material), *of_phrase(context, material, recorded_paths, budget or DerivationBudget())]
    keys, addresses = sorted({half.public_key for half in halves}), sorted({half.address for half in halves})
    return (
        context.store.register.is_of_another_project(project_id, keys, addresses)
        or has_wallets_of_others(context, project_id, keys, addresses)
        or _is_sealed_elsewhere(context, material, project_id, addresses)
        or _is_anywhere(context, material, project_id, addresses, known, derived, takes=takes)
    )


def _has(found: PhraseOfProject, material: KeyMaterial, words: bytes | None, derived: PhraseKeys | None) -> bool:
    """Whether a phrase is the one of some words or, where a key alone is asked about, has that."""
    if derived is None:
        return found.words == words
    each = derived.of((found.project_id, found.phrase_id), found.phrase)
    return any(hmac.compare_digest(key.reveal(), material.private_key.reveal()) for key in each)


def _is_anywhere(
    context: VaultContext,
    material: KeyMaterial,
    project_id: UUID,
    addresses: Sequence[str],
    known: Collection[tuple[UUID, UUID]],
    derived: PhraseKeys | None,
    *,
    takes: bool,
) -> bool:
    """The same of sealed texts wherever they stand, those of phrases among them.

    ``known``: the phrases that were compared already.
    """
    forms, words = {form for each in addresses for form in spellings(each)}, phrase_of(material)
    for found in texts_anywhere(context):
        header = found.header
        if header.project_id == project_id:
            continue
        if header.is_phrase:
            if (words is not None or derived is not None) and (header.project_id, header.id) not in known:
                phrase = opened_phrase(context, found.whole())
                if phrase is not None and _has(phrase, material, words, derived):
                    return True
            continue
        if (takes or header.is_own) and not forms.isdisjoint(spellings(header.address)):
            return True
        if words is not None and header.is_own and _opens_with(context, found.whole(), words):
            return True
    return False


def _opens_with(context: VaultContext, text: str, words: bytes) -> bool:
    """Whether a sealed text of a wallet opens, and has a phrase."""
    if not sealing.may_hold_phrase(text):
        return False
    opened = opened_by_header(context, text)
    return opened is not None and phrase_of(opened[1]) == words


def _is_sealed_elsewhere(
    context: VaultContext, material: KeyMaterial, project_id: UUID, addresses: Sequence[str]
) -> bool:
    """Whether a vault record's sealed text names another project, and one of the addresses or has the same phrase.

    Every record is read: no row and record of its wallet need say what it says.
    """
    forms, phrase = {form for each in addresses for form in spellings(each)}, phrase_of(material)
    for page in context.store.register.stream_key_holders():
        for holder in page:
            if holder.recorded:
                return False  # rows come first
            found = None if holder.sealed_text is None else sealing.identity_in(holder.sealed_text)
            if found is None or holder.sealed_text is None or found.project_id == project_id:
                continue
            if not forms.isdisjoint(spellings(found.address)):
                return True
            if phrase is not None and _opens_with(context, holder.sealed_text, phrase):
                return True
    return False


def phrase_of(material: KeyMaterial) -> bytes | None:
    """The words of a key's phrase, however they were written; None where it has none."""
    return None if material.mnemonic is None else words_of(material.mnemonic)


def is_own(context: VaultContext, material: KeyMaterial, wallet_id: UUID) -> bool:
    """Whether a key alone is the one that a wallet's record proves: it is no other's then, whatever rows say."""
    return is_proved_by(context, recorded(context, wallet_id), material)


def is_proved_by(context: VaultContext, known: Registered | None, material: KeyMaterial) -> bool:
    """Whether a key alone is the one that a record proves, whose tag fits."""
    if known is None or known.record.variant == UNPROVED or material.mnemonic is not None:
        return False
    wallet = wallet_of(known.record)  # its address is as its row writes it
    if wallet.network not in context.networks:
        return False
    network = context.networks.get(wallet.network)
    halves = [_half(network, material, scheme) for scheme in network.schemes]
    return any(
        half.public_key == wallet.public_key and same_address(context, wallet, half.address)
        for half in halves
        if half is not None
    )


def recorded_elsewhere(
    context: VaultContext, material: KeyMaterial, project_id: UUID
) -> tuple[Wallet, KeyMaterial] | None:
    """A wallet of another project whose record, with a tag that fits, has this key; and the key as that wallet has it.

    None where there is none, or a phrase derives the key by another scheme than the record's.
    """
    for public_key in dict.fromkeys(half.public_key for half in of_key(context, material)):  # networks share them
        for wallet_id in context.store.register.wallets_of_other_projects(project_id, public_key):
            found = recorded(context, wallet_id)
            if found is None or found.record.project_id == project_id:
                continue
            wallet = wallet_of(found.record)
            scheme = _scheme_of(context, material, wallet)
            if scheme is not None and material.mnemonic is None:
                return wallet, replace(material, scheme=scheme, path=wallet.path)
            if scheme is not None and material.scheme == scheme:
                return wallet, material
    return None


def _scheme_of(context: VaultContext, material: KeyMaterial, wallet: Wallet) -> str | None:
    """The scheme in which a key is a wallet's, on that wallet's network; None where it is in none."""
    if wallet.network not in context.networks:
        return None
    network = context.networks.get(wallet.network)
    for scheme in network.schemes:
        half = _half(network, material, scheme)
        if half is not None and same_address(context, wallet, half.address):
            return scheme
    return None


def of_key(context: VaultContext, material: KeyMaterial) -> Iterator[PublicHalf]:
    """The public half of a key on every network."""
    for network in address_table(context.networks).distinct:  # the others of a space have the same
        for scheme in network.schemes:
            half = _half(network, material, scheme)
            if half is not None:
                yield half


def of_phrase(
    context: VaultContext, material: KeyMaterial, recorded_paths: Sequence[RecordedPath], budget: DerivationBudget
) -> Iterator[PublicHalf]:
    """The public halves of a phrase's other keys; none of a key without one. Raises KeyConflictError."""
    if material.mnemonic is None:
        return
    known = [(network, place) for network in address_table(context.networks).distinct for place in _usual(network)]
    tried = {(network.address_space.name, place) for network, place in known}
    passphrases = [None] if material.passphrase is None else [material.passphrase, None]
    for network, place in recorded_paths:
        if (network.address_space.name, place) not in tried:
            for _ in passphrases:
                budget.take(place.path or "")
            known.append((network, place))
    for passphrase in passphrases:
        phrase = Phrase.parse(material.mnemonic, passphrase)  # its seed is stretched once
        for network, place in known:
            half = _at(network, phrase, place)
            if half is not None:
                yield half


def _usual(network: Network) -> Iterator[DerivationPath]:
    """Where wallets of a network keep keys, and where its own begin."""
    yield from dict.fromkeys(
        (*derivation_paths(network.conventions), *(DerivationPath(scheme, None) for scheme in network.schemes))
    )


def _at(network: Network, phrase: Phrase, place: DerivationPath) -> PublicHalf | None:
    try:
        return _half(network, network.derive(phrase, place.scheme, place.path), place.scheme)
    except StrongroomError:  # a scheme that phrases do not have, or no path of it
        return None


def _half(network: Network, material: KeyMaterial, scheme: str) -> PublicHalf | None:
    try:
        return network.public_half(material.private_key, scheme)
    except StrongroomError:  # no key of this network
        return None
