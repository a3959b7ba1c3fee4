"""What a key text can be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from strongroom.crypto.phrase import Phrase
from strongroom.networks.curves.extended_key import ExtendedKey
from strongroom.secret import Secret
from strongroom.store.inspection.inspection import MAX_TEXT_CHARACTERS
from strongroom.takeover.doctor.envelope import Envelope


class KeyTextKind(Enum):
    """What a stored text was recognised as; the values of most are codes of findings."""

    PLACEHOLDER = "placeholder"
    SEALED = "sealed"
    ENVELOPE = "legacy-envelope"
    KEYSTORE = "keystore"
    ENCRYPTED = "encrypted-elsewhere"
    KEY = "plaintext-key"
    PHRASE = "plaintext-mnemonic"
    ENCODED = "encoded-key"
    UNREADABLE = "unreadable"


TOO_LONG = "no command prints it: look at it in its table"
"""Of a text that is longer than any that is read."""
IN_PLAINTEXT = frozenset({KeyTextKind.KEY, KeyTextKind.PHRASE, KeyTextKind.ENCODED})
LOCKED = frozenset({KeyTextKind.ENVELOPE, KeyTextKind.KEYSTORE})
UNOPENED = LOCKED | {KeyTextKind.ENCRYPTED}
"""What holds something that a password, or the software that encrypted it, would show."""


@dataclass(frozen=True, slots=True)
class KeyText:
    """A text that was read."""

    kind: KeyTextKind
    form: str
    """What was recognised, for people."""
    key: Secret | None = None
    """A raw private key, where it is one in plaintext: 32 bytes, or as many as a scheme of some network has."""
    phrase: Phrase | None = None
    paths: tuple[str, ...] = ()
    """Derivation paths that stand in the same text: where its phrase derives the key, perhaps."""
    looks_public: bool = False
    """Whether it may as well be something else, so that it is a key only if it derives the stored address."""
    locked: Envelope | Secret | None = None
    """The envelope, or the keystore's document, to be opened with a password; None where that is no use."""
    document: Secret | None = None
    """The whole text of an envelope or keystore."""
    others: tuple[KeyText, ...] = ()
    """What it is if it is no key of the row: base64 may be base58, too, and mean other bytes."""
    holds_unread: bool = False
    """Whether a secret is stored in the text of which nothing was read, as the name of a member says."""
    remainders: tuple[Secret, ...] = ()
    """Other members that could hold a key and of which none was read that is certain: nothing says that they do."""
    sealed: Secret | None = None
    """What claims to be a sealed text, where something is around it or it is in the metadata."""
    member: int = 0
    """Which of the members that are secrets by their names it was read of; 0 where it was none."""
    written_as_key: bool = False
    """Whether it is written as nothing but keys are, though it may be no key of a wallet."""
    says_secret: bool | None = None
    """What the names before it say in the text, the nearest first: that a private key is there, or that none is."""
    named_only: bool = False
    """Whether it is known what this is, and no key stands in it: the seed of an Electrum wallet, an extended key."""
    written: Secret | None = None
    """The key or phrase as it is written, where that says more: see ``Found``."""
    tree: ExtendedKey | None = None
    """An extended key: one of the keys that it derives may be the row's."""

    @property
    def derives_many(self) -> bool:
        """Whether it has many keys, so that to compare them with an address takes work."""
        return self.phrase is not None or self.tree is not None

    @property
    def has_key_beside(self) -> bool:
        """Whether a key in plaintext stands next to a sealed text, or behind what is left of one."""
        return self.kind is KeyTextKind.SEALED and any(
            each.kind in IN_PLAINTEXT and not each.looks_public for each in self.others
        )

    @property
    def is_unopened(self) -> bool:
        """Whether a password or the legacy application would show what it holds."""
        return self.kind in UNOPENED

    def is_again(self, other: KeyText) -> bool:
        """Whether two texts that are not open are one, in two places."""
        pairs = ((self.sealed, other.sealed), (self.document, other.document))
        return any(each is not None and again is not None and each.reveal() == again.reveal() for each, again in pairs)


def is_too_long(text: str | None) -> bool:
    """Whether a text, which is read with one character more than the longest that is looked at, is longer."""
    return text is not None and len(text) > MAX_TEXT_CHARACTERS
