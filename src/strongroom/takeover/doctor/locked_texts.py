"""Texts that a password opens: envelopes of the legacy application, and keystores, in JSON or as a line of text."""

from __future__ import annotations

from typing import Any

from strongroom.errors import InvalidKeystoreError, InvalidPrivateKeyError, KeystorePasswordError
from strongroom.networks.codecs import keystore, polkadot_json
from strongroom.secret import Secret
from strongroom.takeover.doctor import envelope
from strongroom.takeover.doctor.key_kinds import KeyText, KeyTextKind
from strongroom.takeover.doctor.own_forms import locked_by

_COST = 0.02
"""Of a password for a line of text, in scrypts with geth's parameters: what ``edesk`` of Tezos takes, and more."""
_WRONG_PASSWORD = "the password does not open it, or it was changed"  # noqa: S105 - a note


def of_object(document: dict[str, Any], text: str) -> KeyText | None:
    """The envelope or keystore that an object is, whose text is ``text``."""
    if envelope.is_envelope(document):
        found = envelope.parse(document)
        broken = "" if found else ", whose members are not those of the scheme"
        return KeyText(KeyTextKind.ENVELOPE, f"PBKDF2 envelope{broken}", locked=found, document=Secret.from_text(text))
    if any(name.lower() == "crypto" for name in document):
        return _keystore(Secret.from_text(text), document.get("version"))
    if polkadot_json.is_document(document):
        return _polkadot_json(Secret.from_text(text))
    return None


def of_text(text: str) -> KeyText | None:
    """The keystore that a line of text is."""
    network = locked_by(text)
    if network is None:
        return None
    document = Secret.from_text(text)
    return KeyText(KeyTextKind.KEYSTORE, "keystore in one line", locked=document, document=document)


def cost(document: Secret) -> float:
    """What it costs to try one password on a keystore."""
    if locked_by(document.reveal_text()) is not None:
        return _COST
    return keystore.cost(document) or polkadot_json.cost(document)  # each is 0 for what it does not open


def open_keystore(document: Secret, password: Secret) -> tuple[KeyText | None, str]:
    """The key in a keystore, and what happened, for people."""
    network = locked_by(document.reveal_text())
    try:
        if polkadot_json.refusal(document) is None:
            key = polkadot_json.open_document(document, password).private_key
        elif network is None:
            key = keystore.open_document(document, password).private_key
        else:
            key = network.open_keystore(document, password)
    except KeystorePasswordError:
        return None, _WRONG_PASSWORD
    except InvalidPrivateKeyError:
        return None, "what is in it is no private key"
    except InvalidKeystoreError:
        return None, "it takes more memory than there is"
    return KeyText(KeyTextKind.KEY, "private key", key), "opened"


def _polkadot_json(document: Secret) -> KeyText:
    refusal = polkadot_json.refusal(document)
    if refusal is not None:
        return KeyText(KeyTextKind.KEYSTORE, f"JSON of polkadot-js, which {refusal}", document=document)
    return KeyText(KeyTextKind.KEYSTORE, "JSON of polkadot-js", locked=document, document=document)


def _keystore(document: Secret, version: Any) -> KeyText:
    refusal = keystore.refusal(document)
    known = f"version {version} " if type(version) is int and 0 < version < 10 else ""
    if refusal is not None:
        return KeyText(KeyTextKind.KEYSTORE, f"{known}keystore, which {refusal}", document=document)
    return KeyText(KeyTextKind.KEYSTORE, f"{known}keystore", locked=document, document=document)
