"""Our own texts: what their header claims, and what the root key proves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from strongroom.crypto import jwe, sealing
from strongroom.crypto.keyring import Keyring
from strongroom.errors import InvalidRequestError, StrongroomError
from strongroom.ports.network import Networks
from strongroom.records.key_material import Identity, KeyMaterial
from strongroom.store.inspection.inspection import FoundCredential
from strongroom.takeover.doctor.derivation import Target


class SealedHeader(NamedTuple):
    """What the header of a sealed text says; it is proved only where the text was opened."""

    kid: str
    project_id: str
    credential_id: str
    network: str
    address: str


@dataclass(frozen=True, slots=True)
class OpenedText:
    """What the root key showed of a text, by the identity that its own header names."""

    material: KeyMaterial | None = None
    """None where it does not open, or holds what no key derives from."""
    derives: bool = False
    """Whether the header's address comes out of its key."""
    public_key: str = ""


def sealed_header(text: str, *, aside: bool = False) -> SealedHeader | None:
    """Read the header of a sealed text, ``aside`` also of one that was kept aside; None where it has not the form."""
    try:
        header = jwe.parse(text).header
    except (jwe.JweError, ValueError):
        return None
    if header.get("typ") not in ((sealing.TYPE, sealing.ASIDE_TYPE) if aside else (sealing.TYPE,)):
        return None
    try:
        return SealedHeader(
            header["kid"], header["project"], header["credential"], header["network"], header["address"]
        )
    except KeyError:
        return None


def differing_columns(
    found: SealedHeader, credential: FoundCredential, target: Target | None, *, ours: bool
) -> list[str]:
    """The columns in which a header differs from the row that names its credential.

    Where the legacy application made the tables, its network is that of the address, which may be sealed in its
    canonical form.
    """
    networks, addresses = {credential.network}, {credential.address}
    if target is not None and not ours:
        networks, addresses = {target.network.name}, {credential.address, target.address}
    pairs = (
        ("project_id", found.project_id, {credential.project_id}),
        ("network", found.network, networks),
        ("wallet_address", found.address, addresses),
    )
    return [column for column, theirs, row in pairs if theirs not in row]


def open_with_header(text: str, found: SealedHeader, keyring: Keyring, networks: Networks) -> OpenedText:
    """Open a text as what its header says that it is, and derive."""
    try:
        identity = Identity(UUID(found.project_id), UUID(found.credential_id), found.network, found.address)
        material = sealing.open_sealed(text, identity, keyring, aside=sealing.is_aside(text))
    except (ValueError, StrongroomError):
        return OpenedText()
    try:
        network = networks.get(found.network)
        half = network.public_half(material.private_key, material.scheme)
        derives = half.address == found.address or half.address == network.parse_address(found.address)
    except InvalidRequestError:
        return OpenedText(material)
    return OpenedText(material, derives, half.public_key)
