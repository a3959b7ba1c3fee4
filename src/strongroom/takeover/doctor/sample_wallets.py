"""A wallet of every kind, as a vault would write it: for asking a schema whether it would take them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from strongroom.crypto import sealing, tags
from strongroom.crypto.keyring import Keyring, kid_of, new_sealing_key
from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidRequestError, MissingExtraError
from strongroom.ports.network import Network, Networks
from strongroom.records.identifiers import new_id
from strongroom.records.key_material import Identity, KeyMaterial
from strongroom.records.register import Registered
from strongroom.records.requests import Request
from strongroom.records.stored_wallets import NewWallet, registration_of, wallet_of_key
from strongroom.records.usage_log import Attribution, LogEntry
from strongroom.records.wallets import DEFAULT_LABEL
from strongroom.secret import Secret
from strongroom.store.catalog.check_samples import SampleRow, samples_of

_PHRASE = f"{'abandon ' * 11}about"
_WORDS = 12
_LABELS = (DEFAULT_LABEL, "hot.wallet-1")
_PROJECT = UUID(int=1)


@lru_cache(1)
def sample_rows(networks: Networks) -> Sequence[SampleRow]:
    """Every row of every life of every kind of wallet; made once, since nothing of it is of a database."""
    return samples_of(sample_wallets(networks))


def sample_wallets(networks: Networks) -> Iterator[NewWallet]:
    """Each network and variant, with a label and without, sealed under a key that is thrown away. Never stored."""
    now = datetime.now(UTC)
    wallet_id = new_id(now)
    key = new_sealing_key()
    keyring = Keyring(kid_of(key), {kid_of(key): key})
    phrase = Phrase.parse(Secret.from_text(_PHRASE))
    for network in networks:
        for variant in network.variants:
            for label in _LABELS:
                try:
                    yield _sample(network, variant, label, phrase, keyring, wallet_id, now)
                except MissingExtraError:  # no wallet of that variant is made here
                    break


def _sample(
    network: Network, variant: str, label: str, phrase: Phrase, keyring: Keyring, wallet_id: UUID, now: datetime
) -> NewWallet:
    scheme = network.scheme(variant)
    material = _material(network, phrase, scheme)
    half = network.public_half(material.private_key, scheme)
    wallet = wallet_of_key(wallet_id, _PROJECT, network.name, label, material, half, now)
    text = sealing.seal(
        material, Identity(_PROJECT, wallet_id, network.name, half.address), keyring.active_kid, keyring
    )
    request = Request("create", network.name, label, {})
    record = registration_of(wallet, variant)
    tag = tags.make("wallet", record.fields(), keyring)
    kid, log = keyring.active_kid, LogEntry("create", Attribution())
    return NewWallet(wallet, text, kid, log, None, request, now, Registered(record, tag), tag)


def _material(network: Network, phrase: Phrase, scheme: str) -> KeyMaterial:
    """A key of a phrase that all networks share, since stretching one takes long; its own where it has no phrases."""
    try:
        return network.derive(phrase, scheme)
    except InvalidRequestError:
        return network.new_material(scheme, _WORDS)
