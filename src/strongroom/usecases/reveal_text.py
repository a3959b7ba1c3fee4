"""A kept text as it is, for a person: what no key is read from, and what holds more than one. Logged first."""

from __future__ import annotations

from uuid import UUID

from strongroom.crypto import sealing
from strongroom.errors import KeyMissingError, SealedTextCorruptError, WalletNotFoundError
from strongroom.ports.rescue import TextPasswords
from strongroom.records.identifiers import check_text
from strongroom.records.key_material import RevealedText
from strongroom.records.usage_log import Attribution
from strongroom.secret import Secret
from strongroom.usecases.context import VaultContext
from strongroom.usecases.elsewhere import DerivationBudget
from strongroom.usecases.exposure import log_kept_key
from strongroom.usecases.keys_of_others import asking_about
from strongroom.usecases.rescue import LONGEST_CHARACTERS
from strongroom.usecases.reveal_kept import (
    Asked,
    KeptAt,
    find,
    require_asked_for,
    require_nobody_elses,
    require_own,
    whose,
)

NO_PASSWORDS = TextPasswords()


def reveal_text(
    context: VaultContext,
    text_id: UUID | str,
    actor: Attribution,
    passwords: TextPasswords = NO_PASSWORDS,
    of: Asked = (None, None),
) -> RevealedText:
    """Find a text by its own id, commit that it is printed, and only then return it; see Vault.reveal_kept_text."""
    name = str(text_id)
    check_text(name, WalletNotFoundError)
    found = find(context, name)
    if len(found.text) > LONGEST_CHARACTERS:
        raise KeyMissingError(
            f"The text is longer than {LONGEST_CHARACTERS:,} characters: no key is as long, and it is not printed.",
            hint="Look at it in its table: strongroom_vault_history, credential_vault_storage or project_credentials.",
        )
    if not found.text:
        raise KeyMissingError("The text is empty.", hint="`strongroom doctor` says where keys are.")
    if sealing.is_text(found.text):
        shown = _opened(context, found, name, of[0])
    else:
        found = found._replace(project_id=whose(context, found, name, of, "--text "))
        shown = _as_stored(found)
    require_asked_for(of, shown.wallet_id, shown.project_id)
    if passwords.legacy is not None:
        shown = shown._replace(text=_out_of_envelope(context, found, passwords))
    log_kept_key(context, (shown.project_id, shown.wallet_id), {"kept": name, "form": "text"}, actor)
    return shown


def _as_stored(found: KeptAt) -> RevealedText:
    return RevealedText(Secret.from_text(found.text), found.network, found.address, found.project_id, found.wallet_id)


def _out_of_envelope(context: VaultContext, found: KeptAt, passwords: TextPasswords) -> Secret:
    """What an envelope holds, whole. Raises KeyMissingError, IdentityMismatchError where a key is another project's."""
    opened = context.texts.opened(found.text, passwords)
    if opened is None:
        raise KeyMissingError(
            "The text is no envelope that this password opens.",
            hint="Leave --legacy-password-stdin out to print it as it is stored.",
        )
    budget, keys = DerivationBudget(), list(context.texts.keys_in(opened))
    context = asking_about(context, len(keys))
    for material in keys:
        require_nobody_elses(context, found, material, budget)
    return opened


def _opened(context: VaultContext, found: KeptAt, name: str, of: UUID | None) -> RevealedText:
    identity = sealing.identity_in(found.text, of_text=True)
    if identity is None:
        raise SealedTextCorruptError("The sealed text was changed or is damaged.")
    opened = sealing.open_text(found.text, identity, context.keyring)
    if of != identity.credential_id:
        require_own(context, found, name, identity, "--text ")
    return RevealedText(
        opened.text,
        identity.network,
        identity.address,
        identity.project_id,
        identity.credential_id,
        opened.part,
        opened.parts,
    )
