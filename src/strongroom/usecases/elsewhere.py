"""Whether a key that was read from a text is that of another project's wallet: a text proves no project.

A phrase is as good as every key of it: so the first key of each network and scheme counts, whichever was read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from strongroom.errors import StrongroomError
from strongroom.model import KeyMaterial, PublicHalf, Wallet
from strongroom.phrase import Phrase
from strongroom.ports import Network
from strongroom.usecases.addresses import address_table, same_address
from strongroom.usecases.parts import Parts
from strongroom.usecases.register import recorded
from strongroom.usecases.row_comparison import wallet_of


def is_elsewhere(parts: Parts, material: KeyMaterial, project_id: UUID) -> bool:
    """Whether a wallet of another project has this key, on whatever network: by the register, and by the rows."""
    keys: set[str] = set()
    addresses: set[str] = set()
    for half in _halves(parts, material):
        keys.add(half.public_key)
        addresses.add(half.address)
    if parts.store.foreign:
        addresses |= {address.lower() for address in addresses}  # other code may have written it so
    return parts.store.register.is_of_another_project(project_id, sorted(keys), sorted(addresses))


def recorded_elsewhere(parts: Parts, material: KeyMaterial, project_id: UUID) -> tuple[Wallet, KeyMaterial] | None:
    """A wallet of another project whose record, with a tag that fits, has this key; and the key as that wallet has it.

    None where there is none, or a phrase derives the key by another scheme than the record's.
    """
    for network in parts.networks:
        for scheme in network.schemes:
            half = _half(network, material, scheme)
            if half is None:
                continue
            for wallet_id in parts.store.register.wallets_of_other_projects(project_id, half.public_key):
                found = recorded(parts, wallet_id)
                if found is None or found.record.project_id == project_id or found.record.network != network.name:
                    continue
                wallet = wallet_of(found.record)
                if not same_address(parts, wallet, half.address):
                    continue
                if material.mnemonic is None:
                    return wallet, replace(material, scheme=scheme, path=wallet.path)
                if material.scheme == scheme:
                    return wallet, material
    return None


def _halves(parts: Parts, material: KeyMaterial) -> Iterator[PublicHalf]:
    """The public half of a key on every network; of a phrase the first key of each network and scheme, too."""
    phrase = None if material.mnemonic is None else Phrase.parse(material.mnemonic, material.passphrase)
    for network in address_table(parts.networks).distinct:  # the others of a space have the same
        for scheme in network.schemes:
            half = _half(network, material, scheme)
            if half is not None:
                yield half
            first = None if phrase is None else _first(network, phrase, scheme)
            if first is not None:
                yield network.public_half(first.private_key, scheme)


def _first(network: Network, phrase: Phrase, scheme: str) -> KeyMaterial | None:
    try:
        return network.derive(phrase, scheme)
    except StrongroomError:  # a scheme that phrases do not have
        return None


def _half(network: Network, material: KeyMaterial, scheme: str) -> PublicHalf | None:
    try:
        return network.public_half(material.private_key, scheme)
    except StrongroomError:  # no key of this network
        return None
