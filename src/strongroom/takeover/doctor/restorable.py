"""Whether `history restore` puts a kept key back, and what shows it where that is a retired wallet's."""

from __future__ import annotations

from dataclasses import replace

from strongroom.crypto import sealing
from strongroom.errors import StrongroomError
from strongroom.records.key_material import KeyMaterial
from strongroom.records.stored_wallets import StoredWallet
from strongroom.store.inspection.inspection import Inspection
from strongroom.takeover.doctor import commands, sealed_texts
from strongroom.takeover.doctor.derivation import Content
from strongroom.takeover.doctor.findings import Finding
from strongroom.takeover.doctor.in_history import InHistory
from strongroom.takeover.doctor.notes import Examination, ExaminationContext
from strongroom.takeover.doctor.own_key import OwnKey
from strongroom.usecases.context import VaultContext
from strongroom.usecases.ownership import is_proved
from strongroom.usecases.retired import retired_with

_OF_RETIRED = "its key is that of a wallet that was retired, or may have been: `strongroom wallet import` takes it in"


def restorable(
    vault_context: VaultContext,
    examination_context: ExaminationContext,
    inspection: Inspection,
    finding: Finding,
    examined: Examination,
    stored: StoredWallet,
) -> Finding:
    """A finding that names ``restore``, or what shows the kept key where that refuses. A proved wallet has its own."""
    credential, keys = examined.credential, examination_context.keys_of_others
    if credential is None or is_proved(vault_context, stored):
        return finding
    found, content = OwnKey(examination_context, examined).find(inspection.kept(credential.id))
    material, wallet = _material(examination_context, found, content), stored.wallet
    if found.entry is None or material is None:
        return finding
    named = (vault_context, keys, wallet.project_id, material)
    try:
        if retired_with(*named, wallet_id=wallet.id, state=wallet.status, taken=True) is None:
            return finding
    except StrongroomError:
        pass  # so does the verb
    command = commands.reveal_text(found.entry.id) if found.offer is None else found.offer.command
    return replace(finding, evidence=f"{finding.evidence}; {_OF_RETIRED}", named_command=command)


def _material(context: ExaminationContext, found: InHistory, content: Content | None) -> KeyMaterial | None:
    if content is not None:
        return content.material
    text = "" if found.entry is None else found.entry.text
    header = sealed_texts.sealed_header(text, aside=True) if sealing.is_sealed(text) else None
    if header is None or context.keyring is None:
        return None
    return sealed_texts.open_with_header(text, header, context.keyring, context.networks).material
