"""The schemes of Cardano's keys: what a private key is in each of them, and which public keys it shows."""

from __future__ import annotations

from strongroom.networks.curves import bip32_ed25519, ed25519
from strongroom.secret import Secret

CIP1852 = "cip1852"
ENTERPRISE = "enterprise"
TREZOR = "icarus-trezor"
ROOT = "root"
ACCOUNT = "account"
EXTENDED = "ed25519e"
PLAIN = "ed25519"

EXTENDED_CURVE = "ed25519-bip32"
_PATH = "m/1852'/1815'/0'"
PATH = _PATH + "/0/{index}"
_H = 1 << 31
_ACCOUNT_STEPS = (1852 + _H, 1815 + _H, _H)
_PAYMENT, _STAKE = (0, 0), (2, 0)
"""Below an account. CIP-1852."""

BYTES = {CIP1852: 192, TREZOR: 192, ENTERPRISE: 96, ROOT: 96, ACCOUNT: 96, EXTENDED: 64, PLAIN: 32}
"""Of the private key in each scheme: payment key and stake key, one after another, in the first two."""
OF_BASE = (CIP1852, TREZOR, ROOT, ACCOUNT)
OF_ENTERPRISE = (ENTERPRISE, EXTENDED, PLAIN)
"""Those that can make an address of either kind."""


def public_keys(key: Secret, scheme: str) -> tuple[bytes, ...] | None:
    """The payment key, and where the scheme has one the stake key; None for what is no private key of the scheme."""
    if len(key.reveal()) != BYTES[scheme]:
        return None
    found = tuple(_public(part, scheme) for part in _parts(key, scheme) or ())
    known = tuple(each for each in found if each is not None)
    return known if known and len(known) == len(found) else None


def _public(key: Secret, scheme: str) -> bytes | None:
    return ed25519.public_key(key.reveal()) if scheme == PLAIN else bip32_ed25519.public_key(key)


def _parts(key: Secret, scheme: str) -> tuple[Secret, ...] | None:
    """The keys that an address is made of, the payment key first."""
    if scheme in (CIP1852, TREZOR):
        return Secret(key.reveal()[:96]), Secret(key.reveal()[96:])
    if scheme not in (ROOT, ACCOUNT):
        return (key,)
    if bip32_ed25519.public_key(key) is None:
        return None
    account = bip32_ed25519.derive(key, _ACCOUNT_STEPS) if scheme == ROOT else key
    return bip32_ed25519.derive(account, _PAYMENT), bip32_ed25519.derive(account, _STAKE)
