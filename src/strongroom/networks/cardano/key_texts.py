"""Text forms of Cardano's private keys: bech32 of CIP-5, hexadecimal digits, and what cardano-cli writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from strongroom import bounded_json
from strongroom.networks.cardano.schemes import ACCOUNT, BYTES, CIP1852, ENTERPRISE, EXTENDED, PLAIN, ROOT, TREZOR
from strongroom.networks.codecs import bech32, key_text
from strongroom.networks.curves import bip32_ed25519, ed25519
from strongroom.secret import Secret

_PREFIXES = {
    "root_xsk": (ROOT, 96),
    "acct_xsk": (ACCOUNT, 96),
    "addr_xsk": (ENTERPRISE, 96),
    "xprv": (None, 96),
    "ed25519e_sk": (EXTENDED, 64),
    "ed25519_sk": (PLAIN, 32),
}
"""The scheme that a prefix says, and how many bytes follow. CIP-5; ``xprv`` says none."""
_WRITTEN = {ROOT: "root_xsk", ACCOUNT: "acct_xsk", ENTERPRISE: "addr_xsk", EXTENDED: "ed25519e_sk", PLAIN: "ed25519_sk"}
_STAKE = "stake_xsk"
_OF_LENGTH = {192: CIP1852, 96: None, 64: EXTENDED, 32: PLAIN}
_LONGEST_BYTES = 1024
_LONGEST_TEXT = 200
_EXTENDED_TYPE = "PaymentExtendedSigningKeyShelley_ed25519_bip32"
_PLAIN_TYPE = "PaymentSigningKeyShelley_ed25519"
_CBOR = re.compile("58(20[0-9a-fA-F]{64}|80[0-9a-fA-F]{256})")


class KeyRead(NamedTuple):
    """A private key, and the scheme that its text says."""

    key: Secret
    scheme: str | None
    """None where 96 bytes may be of several."""


def read(text: Secret) -> KeyRead | None:
    """The key in any of the forms; None for what is none of them."""
    stripped = key_text.strip(text, _LONGEST_BYTES)
    if stripped is None:
        return None
    if stripped.startswith("{"):
        return _skey(Secret.from_text(stripped))
    parts = stripped.split()
    if len(parts) == 2:
        return _pair(Secret.from_text(parts[0]), Secret.from_text(parts[1]))
    for length, scheme in _OF_LENGTH.items():
        key = _hex(text, length)
        if key is not None:
            return _seed(key) or KeyRead(key, scheme)
    return _bech32(Secret.from_text(stripped))


def write(key: Secret, scheme: str | None) -> Secret | None:
    """The text of a key in a scheme, or in the one of its length; None where the length is of none."""
    length = len(key.reveal())
    if scheme is None or BYTES[scheme] != length:
        scheme = _OF_LENGTH.get(length, "") if length != 96 else ROOT
    if scheme in (CIP1852, TREZOR):
        payment, stake = key.reveal()[:96], key.reveal()[96:]
        return Secret.from_text(f"{bech32.encode('addr_xsk', payment)} {bech32.encode(_STAKE, stake)}")
    return Secret.from_text(bech32.encode(_WRITTEN[scheme], key.reveal())) if scheme in _WRITTEN else None


def _seed(pair: Secret) -> KeyRead | None:
    """The seed in 64 bytes whose second half is its public key: what other chains' wallets write is no extended key."""
    seed = Secret(pair.reveal()[:32])
    matches = len(pair.reveal()) == 64 and ed25519.public_key(seed.reveal()) == pair.reveal()[32:]
    return KeyRead(seed, PLAIN) if matches else None


def _hex(text: Secret, length: int) -> Secret | None:
    return key_text.from_hex(text, length)


def _bech32(text: Secret) -> KeyRead | None:
    prefix = text.reveal_text().lower().rpartition("1")[0]
    scheme, length = _PREFIXES.get(prefix, (None, 0))
    data = Secret.optional(bech32.decode(prefix, text.reveal_text(), _LONGEST_TEXT)) if length else None
    return None if data is None or len(data.reveal()) != length else KeyRead(data, scheme)


def _pair(payment: Secret, stake: Secret) -> KeyRead | None:
    keys = [
        Secret.optional(bech32.decode(prefix, each.reveal_text(), _LONGEST_TEXT))
        for prefix, each in (("addr_xsk", payment), (_STAKE, stake))
    ]
    both = b"".join(b"" if each is None else each.reveal() for each in keys)
    return KeyRead(Secret(both), CIP1852) if len(both) == BYTES[CIP1852] else None


def _skey(document: Secret) -> KeyRead | None:
    """A file of cardano-cli. One with an extended key has its public key next to it, which has to be its own."""
    read = _members(document)
    cbor = read.get("cborHex")
    found = _CBOR.fullmatch(cbor) if isinstance(cbor, str) else None
    if found is None:
        return None
    data = Secret(bytes.fromhex(found[1][2:]))
    if read.get("type") == _PLAIN_TYPE and len(data.reveal()) == BYTES[PLAIN]:
        return KeyRead(data, PLAIN)
    if read.get("type") != _EXTENDED_TYPE or len(data.reveal()) != 128:
        return None
    key = Secret(data.reveal()[:64] + data.reveal()[96:])
    return KeyRead(key, ENTERPRISE) if bip32_ed25519.public_key(key) == data.reveal()[64:96] else None


def _members(document: Secret) -> Mapping[str, Any]:
    try:
        read = bounded_json.loads(document.reveal_text())
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
