"""Wallets that the floor wrote, or that were planted, as strongroom records its own: registered and tagged.

The floor fills every column that strongroom fills, with tags that nobody made: to make them is no work of a
bare driver. Before strongroom is asked about such wallets, they are registered; no clock runs meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from strongroom.crypto.sealing import is_sealed
from strongroom.records.register import SlotRecord
from strongroom.store.write_conditions import SCHEMA_VERSION as SCHEMA_VERSION
from strongroom.usecases.addresses import with_actual_network
from strongroom.usecases.tagging import record_of, register, tag_slot

if TYPE_CHECKING:
    from bench.backends import Installation

KID = "k" * 22
TAG = "t" * 43
"""What the floor writes where strongroom writes the name of a key, and a tag."""
TAG_COLUMNS = "kid, tag"
TAG_VALUES = f"'{KID}', '{TAG}'"


def register_all(installation: Installation) -> None:
    """Record every wallet whose text is sealed, and tag every slot that nobody tagged."""
    context = installation.vault._context
    store = context.store
    for page in store.register.stream_unregistered():
        sealed = [with_actual_network(context, row) for row in page if is_sealed(row.sealed_text or "")]
        store.register.register([register(context, record_of(context, each.wallet)) for each in sealed])
    for rows in store.tags.stream_tagged_otherwise(context.keyring.active_kid):
        slots = [(row, row.record) for row in rows if isinstance(row.record, SlotRecord)]
        store.tags.retag([(row, tag_slot(context, record)) for row, record in slots])
