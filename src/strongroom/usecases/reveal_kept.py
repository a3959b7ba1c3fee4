"""A kept text, opened for a person: an entry of the history, or a vault record with whatever is wrong. Logged first."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from strongroom.crypto import sealing
from strongroom.crypto.phrase_sealing import phrase_in
from strongroom.errors import (
    AmbiguousWalletError,
    IdentityMismatchError,
    InvalidProjectError,
    KeyMissingError,
    SealedTextCorruptError,
    WalletNotFoundError,
)
from strongroom.ports.rescue import KeyChoice, TextPasswords
from strongroom.records.identifiers import check_path, check_text
from strongroom.records.key_material import Identity, KeptKey, KeyMaterial, Revealed
from strongroom.records.usage_log import Attribution
from strongroom.records.vault_texts import KEY_MEMBERS, by_member
from strongroom.records.wallets import Wallet
from strongroom.usecases.context import VaultContext
from strongroom.usecases.elsewhere import DerivationBudget, is_elsewhere, is_own, recorded_elsewhere
from strongroom.usecases.exposure import log_kept_key
from strongroom.usecases.ownership import project_of
from strongroom.usecases.register import recorded
from strongroom.usecases.row_comparison import told

_NO_UUID = UUID(int=0)
"""What a project id of legacy tables is read as that is no UUID."""
_ENTRY, _RECORD, _METADATA = "entry", "record", "metadata"


Asked = tuple[UUID | None, UUID | None]
"""The wallet and the project that a text has to be of, where a caller names them."""


class KeptAt(NamedTuple):
    """A text, and what its row says of it."""

    text: str
    project_id: UUID | None
    wallet_id: UUID | None
    network: str
    address: str


def reveal_kept(
    context: VaultContext,
    text_id: UUID | str,
    network: str,
    choice: KeyChoice,
    actor: Attribution,
    passwords: TextPasswords,
    of: Asked = (None, None),
    *,
    give_away_account: bool = False,
) -> KeptKey:
    """Open a text by its own id, commit that it was, and only then return its key; see Vault.reveal_kept."""
    name = str(text_id)
    check_text(name, WalletNotFoundError)
    check_path(choice.path)
    found = find(context, name)
    project_id, wallet_id = found.project_id, found.wallet_id
    if (phrase := phrase_in(found.text)) is not None:
        raise KeyMissingError(
            f"This is a sealed text of the phrase {phrase[1]} of a project, and no wallet's.",
            hint=f"`strongroom phrase export {phrase[1]} --project {phrase[0]} --reveal` prints its words; where its "
            "row or text is lost, `strongroom repair --plan plan.json` puts it back from here.",
        )
    if sealing.is_text(found.text):
        raise KeyMissingError(
            "This is a text that was kept as it was, since no key was read from it.",
            hint="`strongroom history reveal ENTRY --text --reveal` prints it.",
        )
    if (sealed := sealed_text(context, found.text)) is not None:
        found = found._replace(text=sealed)
        identity, address, material = _unsealed(context, found, name, of[0])
        at, project_id, wallet_id, more = identity.network, identity.project_id, identity.credential_id, False
    else:
        project_id = whose(context, found, name, of)
        found = found._replace(project_id=project_id)
        at, address, material, more = _read(context, found, network, choice, passwords)
    require_asked_for(of, wallet_id, project_id)
    whose_key, key = (project_id, wallet_id), (at, material)
    log_kept_key(context, whose_key, {"kept": name}, actor, key, give_away_account=give_away_account)
    shown = context.networks.get(at).format_private_key(material.private_key)
    revealed = Revealed(shown, material.mnemonic, material.passphrase, material.path, material.scheme)
    return KeptKey(at, address, revealed, project_id, wallet_id, more)


def whose(context: VaultContext, found: KeptAt, name: str, of: Asked, option: str = "") -> UUID | None:
    """The project of a text that names no wallet itself: that of the wallet that its row names.

    Raises IdentityMismatchError where the row says another project, unless the caller names the wallet.
    """
    wallet_id = found.wallet_id
    if wallet_id is None:
        return found.project_id
    hint = f"`strongroom history reveal {name} --wallet {wallet_id} {option}--reveal` takes it as that wallet's."
    return project_of(context, wallet_id, found.project_id, named=of[0] == wallet_id, hint=hint)


def require_asked_for(of: Asked, wallet_id: UUID | None, project_id: UUID | None) -> None:
    """Raise WalletNotFoundError where a text is of another wallet or project than a caller names."""
    if of[0] not in (None, wallet_id):
        raise WalletNotFoundError(
            f"The text is not one of the wallet {of[0]}.",
            hint="Leave the wallet out, or name the one that `strongroom doctor` names for this text.",
        )
    if of[1] not in (None, project_id):
        raise WalletNotFoundError("There is no such text of this project.")


def find(context: VaultContext, name: str) -> KeptAt:
    """The text of that id. ``entry:ID``, ``record:ID`` and ``metadata:WALLET`` name one of the places.

    Raises WalletNotFoundError where there is none, IdentityMismatchError where both an entry and a record have it:
    strongroom gives no id twice, so that somebody made one of them to be taken for the other.
    """
    found = _find(context, name)
    if found is None:
        raise WalletNotFoundError(
            "Neither the history nor the vault has a text with that id.",  # which may be a key, given by mistake
            hint="`strongroom history WALLET` lists entries; `strongroom doctor` names the row of each finding.",
        )
    return found


def _find(context: VaultContext, name: str) -> KeptAt | None:
    place, colon, rest = name.partition(":")
    looks = {_ENTRY: _entry, _RECORD: _record, _METADATA: _metadata}
    if colon and place in looks:
        return looks[place](context, rest)
    entry, record = _entry(context, name), _record(context, name)
    if entry is not None and record is not None:
        raise IdentityMismatchError(
            "Both a vault record and an entry of the history have this id.",
            hint=f"Somebody made one to be taken for the other. Say which one is meant: {_RECORD}:ID or {_ENTRY}:ID.",
            columns=("id",),
        )
    return entry or record


def _entry(context: VaultContext, name: str) -> KeptAt | None:
    try:
        entry = context.store.rescue.entry(UUID(name))
    except ValueError:
        return None
    text = None if entry is None else context.store.rescue.entry_text(entry.id)
    if entry is None or text is None:
        return None
    return KeptAt(text, entry.project_id, entry.wallet_id, entry.network, entry.address)


def _record(context: VaultContext, name: str) -> KeptAt | None:
    found = context.store.rescue.record_text(name)
    if found is None:
        return None
    text, stored = found
    if stored is None:
        return KeptAt(text, None, None, "", "")
    wallet = stored.wallet
    return KeptAt(text, _own_project(wallet.project_id), wallet.id, wallet.network, wallet.address)


def _own_project(project_id: UUID) -> UUID | None:
    """None where a row of legacy tables has a project id that is none of ours."""
    return None if project_id == _NO_UUID else project_id


def _metadata(context: VaultContext, name: str) -> KeptAt | None:
    """``WALLET``, or ``WALLET/MEMBER`` where several members of its metadata hold a text."""
    wallet, slash, member = name.partition("/")
    try:
        wallet_id = UUID(wallet)
    except ValueError:
        return None
    seen = context.store.rescue.see(wallet_id)
    if seen is None or seen.credential is None:
        return None
    try:
        stored = context.store.wallets.get(wallet_id)
    except InvalidProjectError:  # its row says a project that is none of ours
        stored = None
    texts = by_member(seen.credential.key_texts, member)
    named = [each for each in texts if not slash or each == member]
    if not slash:  # where applications kept keys by habit, before any other member
        named = [each for each in named if each in KEY_MEMBERS] or named
    if len(named) > 1:
        raise AmbiguousWalletError(
            "Several members of this metadata hold a text.",
            hint=f"Name one: {', '.join(f'{_METADATA}:{wallet_id}/{each}' for each in named)}.",
        )
    if not named:
        return None
    if stored is None:
        return KeptAt(texts[named[0]], None, wallet_id, "", "")
    about = stored.wallet
    return KeptAt(texts[named[0]], about.project_id, wallet_id, about.network, about.address)


def _unsealed(context: VaultContext, found: KeptAt, name: str, of: UUID | None) -> tuple[Identity, str, KeyMaterial]:
    """Identity, address and key: opened as what its header says, which its opening authenticates.

    Raises IdentityMismatchError where neither its row nor the caller (``of``) names that project and wallet: a copy of
    somebody else's text.
    """
    identity = sealing.identity_in(found.text)
    if identity is None:
        raise SealedTextCorruptError("The sealed text was changed or is damaged.")
    material = sealing.open_sealed(found.text, identity, context.keyring, aside=sealing.is_aside(found.text))
    if of != identity.credential_id and not _is_of_a_wallet_gone(context, found, identity):
        require_own(context, found, name, identity)
    half = context.networks.get(identity.network).public_half(material.private_key, material.scheme)
    return identity, half.address, material


def sealed_text(context: VaultContext, text: str) -> str | None:
    """The sealed text that a text claims to be, without what is around it; None where it is something else."""
    if sealing.is_of_ours(text):
        return text
    return context.texts.sealed_in(text) or (text if sealing.is_sealed(text) else None)


def _is_of_a_wallet_gone(context: VaultContext, found: KeptAt, identity: Identity) -> bool:
    """Whether a text is of a wallet of the row's own project that is not there any more: no row has it but this."""
    if found.project_id != identity.project_id or found.wallet_id in (None, identity.credential_id):
        return False
    seen = context.store.rescue.see(identity.credential_id)
    return seen is None or seen.credential is None


def require_own(context: VaultContext, found: KeptAt, name: str, identity: Identity, option: str = "") -> None:
    """Raise IdentityMismatchError where a row names another project or wallet than the sealed text in it."""
    compared = (
        ("project_id", found.project_id, identity.project_id),
        ("credential_id", found.wallet_id, identity.credential_id),
    )
    columns = tuple(name for name, said, sealed in compared if said not in (None, sealed))
    if columns:
        raise IdentityMismatchError(
            f"The sealed text in this row is another wallet's: {told(columns)}.",
            hint=_of_its_wallet(context, name, identity, option),
            columns=columns,
        )


def _of_its_wallet(context: VaultContext, name: str, identity: Identity, option: str) -> str:
    """What gets the key of a text out that is stored under another wallet."""
    wallet_id = identity.credential_id
    named = f"`strongroom history reveal {name} --wallet {wallet_id} {option}--reveal` prints it, and logs it there"
    if context.store.wallets.get(wallet_id) is not None:
        return f"It is the wallet {wallet_id}, whose own verbs open its key. {named}."
    if recorded(context, wallet_id) is None:
        return f"Its wallet is gone, and the register has no record of it. {named}."
    return f"`strongroom history restore {wallet_id}` makes the rows of its wallet anew. {named}."


def _read(
    context: VaultContext, found: KeptAt, network: str, choice: KeyChoice, passwords: TextPasswords
) -> tuple[str, str, KeyMaterial, bool]:
    """Network, address and key of a text of the legacy application, which names no wallet: its row does."""
    read = context.texts.read(found.text, network or found.network, found.address, passwords, choice)
    if read.material is None:
        raise KeyMissingError(
            f"No key was read from this text ({read.form}).",
            hint="An envelope or keystore needs its password (--legacy-password-stdin, --keystore-password-stdin); "
            "a key whose address is of no network needs --network; --text prints the text, with a password all in it.",
        )
    require_nobody_elses(context, found, read.material, None, takes=not read.in_plaintext)
    return read.network, read.address, read.material, read.holds_more


def require_nobody_elses(
    context: VaultContext, found: KeptAt, material: KeyMaterial, budget: DerivationBudget | None, *, takes: bool = True
) -> None:
    """Raise IdentityMismatchError where a key of a text is another project's than the text is of.

    ``takes``: see ``is_elsewhere``; not for one in plaintext, which is known already.
    """
    project = found.project_id
    if project is None or (found.wallet_id is not None and is_own(context, material, found.wallet_id)):
        return
    if is_elsewhere(context, material, project, budget, takes=takes):
        owner = recorded_elsewhere(context, material, project)
        raise IdentityMismatchError(
            "The key in this row is that of another project's wallet or phrase.",
            hint=f"{'' if owner is None else _of_owner(owner[0])}--text alone prints this row's text as it is stored.",
            columns=("project_id", "wallet_address"),
        )


def _of_owner(owner: Wallet) -> str:
    return (
        f"`strongroom wallet export {owner.id} --reveal` prints the key of the wallet that has it, and logs it there; "
        f"`strongroom history {owner.id}` lists what is kept of it. "
    )
