"""Accounts of a phrase: the path of their indices, and how far they are taken."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import replace
from uuid import UUID

from strongroom.crypto import tags
from strongroom.crypto.phrase import Phrase
from strongroom.errors import IdentityMismatchError, InvalidPathError, PhraseConflictError
from strongroom.ports.network import Network
from strongroom.records.key_material import KeyMaterial
from strongroom.records.phrases import AccountRecord, PhraseAccount, PhraseReference, TaggedAccount
from strongroom.records.register import Registered
from strongroom.records.watch_only import BranchRecord, branch_of
from strongroom.usecases.context import VaultContext
from strongroom.usecases.exposure import check_branch
from strongroom.usecases.phrase_reading import stored_phrase

INDEX = "{index}"
"""Where the index stands in the template of a path."""
_HARDENED_SPELLINGS = re.compile("[hH]$")
_ACCOUNT = 3
"""Which element of a path is the account. BIP-44."""


def path_at(account: AccountRecord, index: int) -> str:
    """The path of an index in an account."""
    return account.template.replace(INDEX, str(index))


def key_of(network: Network, phrase: Phrase, scheme: str, account: AccountRecord, index: int) -> KeyMaterial:
    """The key of an index in an account: its own, with the phrase's id, and without the phrase."""
    derived = network.derive(phrase, scheme, path_at(account, index))
    place = next(number for number, element in enumerate(account.template.split("/")) if INDEX in element)
    derived = replace(derived, mnemonic=None, passphrase=None)
    return replace(derived, phrase_id=account.phrase_id, phrase_index=index, phrase_place=place)


def list_accounts(context: VaultContext, project_id: UUID | str, phrase: PhraseReference) -> tuple[PhraseAccount, ...]:
    """Every account of a phrase, checked; see Vault.list_accounts."""
    record = stored_phrase(context, project_id, phrase).record
    found = list[TaggedAccount]()
    for each in context.store.phrases.accounts(record.project_id, record.phrase_id):
        check_account(context, each)
        found.append(each)
    branches = read_branches(context, record.project_id, record.phrase_id) if found else {}
    return tuple(shown_account(each.record, branches) for each in found)


def read_branches(context: VaultContext, project_id: UUID, phrase_id: UUID) -> dict[str, BranchRecord]:
    """What has left the branches of a phrase, by path. Raises IdentityMismatchError."""
    found = context.store.exposures.branches(project_id, phrase_id)
    return {branch.path: branch for branch in (check_branch(context, each) for each in found)}


def shown_account(record: AccountRecord, branches: Mapping[str, BranchRecord]) -> PhraseAccount:
    """An account as verbs return it, with what has left its branch."""
    branch = branches.get(branch_of(record.template))
    exported, revealed = (False, False) if branch is None else (branch.xpub_exported, branch.key_revealed)
    return PhraseAccount(record.network, record.variant, record.template, record.next_index, exported, revealed)


def tagged(context: VaultContext, record: AccountRecord) -> TaggedAccount:
    """An account with its tag, under the active sealing key."""
    return TaggedAccount(record, tags.make("account", record.fields(), context.keyring))


def check_account(context: VaultContext, account: TaggedAccount) -> None:
    """Raise IdentityMismatchError where the row of an account was changed."""
    record, tag = account
    if not tags.fits_record("account", record, tag, context.keyring):
        raise IdentityMismatchError(
            f"The row that counts the indices of the phrase {record.phrase_id} on {record.network} was changed.",
            hint="`strongroom repair --plan plan.json` counts it anew, from the register and from events that "
            "skipped indices; `strongroom doctor` says so, and of which rows nothing else says that they are accounts. "
            "Do not delete others: without them skipped indices are given to wallets.",
            columns=("tag",),
        )


def check_taken(context: VaultContext, found: Registered | None) -> None:
    """Raise IdentityMismatchError where the record that has the path of a next index is none that strongroom wrote.

    Otherwise rows that somebody writes would have indices passed over, as far as they like and for good.
    """
    if found is not None and tags.fits_record("wallet", *found, context.keyring):
        return
    whose = "A record" if found is None else f"The record of {found.record.credential_id}"
    raise IdentityMismatchError(
        f"{whose} in the register has a path that comes next, and strongroom did not write it, or it was changed.",
        hint="`strongroom doctor` names it: put it back from a backup, or delete it where no wallet has its id.",
        columns=("tag",),
    )


def check_held(context: VaultContext, found: Registered) -> None:
    """Raise PhraseConflictError: a wallet that is not of the phrase has the key of an index that comes next.

    It was imported with that key, or somebody changed the phrase's row, and it has a second id by now.
    """
    check_taken(context, found)
    record = found.record
    whose = "imported by itself" if record.phrase_id is None else f"derived from the phrase {record.phrase_id}"
    raise PhraseConflictError(
        f"The wallet {record.credential_id} of the project has a key that comes next, {record.address}, and was "
        f"{whose}: two wallets of {record.network} would have one key; nothing was written.",
        hint="Make the wallets of the indices before it; `strongroom phrase advance` goes on after it.",
    )


def template_of(network: Network, scheme: str, account: int | None, path: str | None) -> str:
    """The path of a scheme's keys with ``{index}`` where the index stands. Raises InvalidPathError.

    ``account`` goes in the place that BIP-44 has for it; ``path`` is a template of the caller's own, which comes back
    in its canonical form.
    """
    if path is not None:
        elements = path.split("/") if isinstance(path, str) else []
        own = [_HARDENED_SPELLINGS.sub("'", element) for element in elements]
        if account is not None or sum(element in (INDEX, f"{INDEX}'") for element in own) != 1 or path.count("{") != 1:
            raise InvalidPathError(
                "A path of one's own has {index} in it once, as a whole element, and no account beside it.",
                hint="Such as m/44'/60'/0'/{index}.",
            )
        return "/".join(own)
    first, second = network.path(scheme, 1), network.path(scheme, 2)  # that of index 0 may be the whole tree's root
    if first is None or second is None:
        raise InvalidPathError(f"Keys of the scheme {scheme} have no index.", hint="Choose another variant.")
    elements = first.split("/")
    (place,) = (n for n, pair in enumerate(zip(elements, second.split("/"), strict=True)) if pair[0] != pair[1])
    elements[place] = INDEX + ("'" if elements[place].endswith("'") else "")
    if account is not None:
        if type(account) is not int or not 0 <= account < 1 << 31:
            raise InvalidPathError("An account is a whole number from 0 to 2,147,483,647.")
        if place == _ACCOUNT or len(elements) <= _ACCOUNT:
            raise InvalidPathError(f"On {network.name} the index stands where the account would.", hint="Leave it out.")
        elements[_ACCOUNT] = f"{account}'"
    return "/".join(elements)


def templates_at(path: str, index: int) -> dict[int, str]:
    """The templates that give a path at an index, by the place of the index in it; the last place first."""
    elements = path.split("/")
    return {
        place: "/".join([*elements[:place], INDEX + elements[place].removeprefix(str(index)), *elements[place + 1 :]])
        for place in reversed(range(len(elements)))
        if elements[place].removesuffix("'") == str(index)
    }


def template_holding(network: Network, scheme: str | None, path: str, index: int, known: Set[str]) -> str:
    """The template that a wallet's path came from: one that is known, the network's own, or what the path suggests.

    Raises UnknownVariantError where the network has no such scheme.
    """
    for template in templates_at(path, index).values():
        if template in known:
            return template
    own = template_of(network, scheme or network.scheme(None), None, None).split("/")
    there = path.split("/")
    place = next(number for number, element in enumerate(own) if INDEX in element)
    if len(there) == len(own) and there[place] == own[place].replace(INDEX, str(index)):
        return "/".join([*there[:place], own[place], *there[place + 1 :]])  # perhaps of another account
    for number in reversed(range(len(there))):
        if there[number].rstrip("'") == str(index):
            there[number] = INDEX + ("'" if there[number].endswith("'") else "")
            break
    return "/".join(there)
