"""Accounts of Bitcoin, and of chains like it, that others watch: xpubs and output descriptors. BIP-380 to 386."""

from __future__ import annotations

from collections.abc import Mapping

from strongroom.crypto.phrase import Phrase
from strongroom.networks.curves import bip32
from strongroom.networks.curves.watch_only import INDEX, MAINNET, TESTNET, public_branch
from strongroom.records.phrases import FINGERPRINT_DIGITS
from strongroom.records.watch_only import WatchedBranch, branch_of

_SCRIPTS = {"bip44": "pkh({})", "bip49": "sh(wpkh({}))", "bip84": "wpkh({})", "bip86": "tr({})"}
_CHARACTERS = "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ "
_CHECKSUM_CHARACTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0xF5DEE51989, 0xA9FDCA3312, 0x1BAB10E32D, 0x3706B1677A, 0x644D626FFD)
_CHECKSUM_SYMBOLS = 8


def watched(
    phrase: Phrase,
    scheme: str,
    template: str,
    *,
    testnet: bool,
    own_versions: Mapping[str, bytes],
    has_descriptors: bool = True,
) -> WatchedBranch:
    """The xpub of a template's branch, and the descriptor of its addresses. Raises InvalidPathError.

    ``own_versions``: the version bytes, by scheme, that wallets of the chain write in the place of those of BIP-32.
    """
    path = branch_of(template)
    key = public_branch(phrase.seed(), path)
    xpub = key.serialise(TESTNET if testnet else MAINNET).reveal_text()
    version = own_versions.get(scheme)
    slip132 = None if version is None else key.serialise(version).reveal_text()
    fingerprint = bip32.identifier(phrase.seed())[:FINGERPRINT_DIGITS]
    descriptor = _descriptor(scheme, template, path, fingerprint, xpub) if has_descriptors else None
    return WatchedBranch(path, xpub, slip132, descriptor)


def checksum(descriptor: str) -> str | None:
    """The checksum of a descriptor, 8 characters; None where it has a character that no descriptor has. BIP-380."""
    symbols: list[int] = []
    groups: list[int] = []
    for character in descriptor:
        value = _CHARACTERS.find(character)
        if value < 0:
            return None
        symbols.append(value & 31)
        groups.append(value >> 5)
        if len(groups) == 3:
            symbols.append(groups[0] * 9 + groups[1] * 3 + groups[2])
            groups.clear()
    if groups:
        symbols.append(groups[0] if len(groups) == 1 else groups[0] * 3 + groups[1])
    total = 1
    for symbol in (*symbols, *[0] * _CHECKSUM_SYMBOLS):
        top, total = total >> 35, (total & 0x7FFFFFFFF) << 5 ^ symbol
        for place, generator in enumerate(_GENERATOR):
            total ^= generator if top >> place & 1 else 0
    total ^= 1
    return "".join(_CHECKSUM_CHARACTERS[total >> 5 * (7 - place) & 31] for place in range(_CHECKSUM_SYMBOLS))


def _descriptor(scheme: str, template: str, branch: str, fingerprint: str, xpub: str) -> str | None:
    """With key origin and checksum; None where the index is not the path's last element, as a descriptor has it."""
    script, below = _SCRIPTS.get(scheme), template[len(branch) :]
    if script is None or not below.endswith(f"/{INDEX}"):
        return None
    origin = fingerprint + branch.removeprefix("m").replace("'", "h")
    text = script.format(f"[{origin}]{xpub}{below.removesuffix(INDEX)}*")
    return f"{text}#{checksum(text)}"
