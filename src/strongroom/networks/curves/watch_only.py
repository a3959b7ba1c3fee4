"""The public half of a branch in the tree of a phrase: every address below follows from it, and no key. BIP-32."""

from __future__ import annotations

from typing import Any

from strongroom.networks.curves import paths
from strongroom.networks.curves.extended_key import ExtendedKey
from strongroom.networks.wally import library
from strongroom.records.watch_only import WatchedBranch, branch_of
from strongroom.secret import Secret

INDEX = "{index}"
MAINNET, TESTNET = bytes.fromhex("0488b21e"), bytes.fromhex("043587cf")
"""The version bytes of ``xpub`` and ``tpub``. BIP-32."""


def public_branch(seed: Secret, path: str) -> ExtendedKey:
    """The extended public key at a path. Raises InvalidPathError. BIP-32."""
    node = ExtendedKey.from_seed(seed)
    for number in paths.parse(path):
        node = node.child(number)
    return node.public()


def point_below(xpub: str, branch: str, path: str) -> bytes:
    """The compressed public key at a path, derived by libwally from the xpub of a branch above. BIP-32, "CKDpub"."""
    wally: Any = library()
    steps = paths.parse(path)[len(paths.parse(branch)) :]
    node = wally.bip32_key_from_base58(xpub)
    if steps:
        flags = wally.BIP32_FLAG_KEY_PUBLIC | wally.BIP32_FLAG_SKIP_HASH
        node = wally.bip32_key_from_parent_path(node, list(steps), flags)
    return bytes(wally.bip32_key_get_pub_key(node))


def mainnet_branch(seed: Secret, template: str) -> WatchedBranch:
    """The xpub of a template's branch, without the forms that only Bitcoin has. Raises InvalidPathError. BIP-32."""
    path = branch_of(template)
    return WatchedBranch(path, public_branch(seed, path).serialise(MAINNET).reveal_text(), None, None)
