"""A kept text, opened for a person: an entry of the history, or a vault record with whatever is wrong. Logged first."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from strongroom import sealing
from strongroom.errors import IdentityMismatchError, KeyMissingError, SealedTextCorruptError, WalletNotFoundError
from strongroom.identifiers import check_path, check_text
from strongroom.model import Actor, Event, Identity, KeptKey, KeyMaterial, LogEntry, Revealed
from strongroom.rescue_ports import KeyChoice, TextPasswords
from strongroom.usecases.elsewhere import is_elsewhere
from strongroom.usecases.parts import Parts
from strongroom.usecases.register import recorded

_ENTRY, _RECORD = "entry", "record"


class _Text(NamedTuple):
    text: str
    project_id: UUID | None
    wallet_id: UUID | None
    network: str
    address: str


def reveal_kept(
    parts: Parts, text_id: UUID | str, network: str, choice: KeyChoice, actor: Actor, passwords: TextPasswords
) -> KeptKey:
    """Open a text by its own id, commit that it was, and only then return its key; see Vault.reveal_kept."""
    name = str(text_id)
    check_text(name, WalletNotFoundError)
    check_path(choice.path)
    found = _find(parts, name)
    if found is None:
        raise WalletNotFoundError(
            "Neither the history nor the vault has a text with that id.",  # which may be a key, given by mistake
            hint="`strongroom history WALLET` lists entries; `strongroom doctor` names the row of each finding.",
        )
    project_id, wallet_id = found.project_id, found.wallet_id
    if sealing.is_sealed(found.text):
        identity, address, material = _unsealed(parts, found)
        at, project_id, wallet_id = identity.network, identity.project_id, identity.credential_id
    else:
        at, address, material = _read(parts, found, network, choice, passwords)
    _log(parts, wallet_id, name, actor)
    shown = parts.networks.get(at).format_private_key(material.private_key)
    revealed = Revealed(shown, material.mnemonic, material.passphrase, material.path, material.scheme)
    return KeptKey(at, address, revealed, project_id, wallet_id)


def _find(parts: Parts, name: str) -> _Text | None:
    """The text of that id. ``entry:ID`` and ``record:ID`` name one of the two places.

    Raises IdentityMismatchError where both have one: strongroom gives no id twice, so that somebody made one of them
    to be taken for the other.
    """
    place, colon, rest = name.partition(":")
    if colon and place in (_ENTRY, _RECORD):
        return _entry(parts, rest) if place == _ENTRY else _record(parts, rest)
    entry, record = _entry(parts, name), _record(parts, name)
    if entry is not None and record is not None:
        raise IdentityMismatchError(
            "Both a vault record and an entry of the history have this id.",
            hint=f"Somebody made one to be taken for the other. Say which one is meant: {_RECORD}:ID or {_ENTRY}:ID.",
            columns=("id",),
        )
    return entry or record


def _entry(parts: Parts, name: str) -> _Text | None:
    try:
        entry = parts.store.rescue.entry(UUID(name))
    except ValueError:
        return None
    if entry is None:
        return None
    return _Text(entry.text, entry.project_id, entry.wallet_id, entry.network, entry.address)


def _record(parts: Parts, name: str) -> _Text | None:
    found = parts.store.rescue.record_text(name)
    if found is None:
        return None
    text, stored = found
    if stored is None:
        return _Text(text, None, None, "", "")
    wallet = stored.wallet
    return _Text(text, wallet.project_id, wallet.id, wallet.network, wallet.address)


def _unsealed(parts: Parts, found: _Text) -> tuple[Identity, str, KeyMaterial]:
    """Identity, address and key: opened as what its header says, which its opening authenticates.

    Raises IdentityMismatchError where its row names another project or wallet: a copy of somebody else's text.
    """
    identity = sealing.identity_in(found.text)
    if identity is None:
        raise SealedTextCorruptError("The sealed text was changed or is damaged.")
    material = sealing.open_sealed(found.text, identity, parts.keyring, aside=sealing.is_aside(found.text))
    compared = (
        ("project_id", found.project_id, identity.project_id),
        ("credential_id", found.wallet_id, identity.credential_id),
    )
    columns = tuple(name for name, said, sealed in compared if said not in (None, sealed))
    if columns:
        raise _mismatch(f"The sealed text in this row is another wallet's: {', '.join(columns)} differ.", columns)
    half = parts.networks.get(identity.network).public_half(material.private_key, material.scheme)
    return identity, half.address, material


def _read(
    parts: Parts, found: _Text, network: str, choice: KeyChoice, passwords: TextPasswords
) -> tuple[str, str, KeyMaterial]:
    """Network, address and key of a text of another application, which names no wallet: its row does."""
    read = parts.texts.read(found.text, network or found.network, found.address, passwords, choice)
    if read.material is None:
        raise KeyMissingError(
            f"No key was read from this text ({read.form}).",
            hint="An envelope or keystore needs its password (--legacy-password-stdin, --keystore-password-stdin); "
            "a key whose address is of no network needs --network.",
        )
    known = None if found.wallet_id is None else recorded(parts, found.wallet_id)
    project = found.project_id if known is None else known.record.project_id
    if project is not None and is_elsewhere(parts, read.material, project):
        raise _mismatch("The key in this row is that of another project's wallet.", ("project_id", "wallet_address"))
    return read.network, read.address, read.material


def _mismatch(message: str, columns: tuple[str, ...]) -> IdentityMismatchError:
    return IdentityMismatchError(
        message,
        hint="`strongroom wallet export ID --reveal` prints the key of the wallet that has it, and logs it there; "
        "`strongroom history ID` lists what is kept of it.",
        columns=columns,
    )


def _log(parts: Parts, wallet_id: UUID | None, name: str, actor: Actor) -> None:
    """In the usage log of the wallet, where it is there; else as an event."""
    stored = None if wallet_id is None else parts.store.wallets.get(wallet_id)
    if stored is not None:
        parts.store.log.write_log(stored, LogEntry("export", actor, {"kept": name}), parts.clock())
        return
    wallet = {} if wallet_id is None else {"wallet": str(wallet_id)}
    parts.store.rescue.write_event(Event("export", actor, {"kept": name, **wallet}), parts.clock())
