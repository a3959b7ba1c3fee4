"""The standard phrase and what strategies and tests share."""

from __future__ import annotations

import hashlib

from hypothesis import strategies as st

import strongroom
from strongroom import Secret
from strongroom.crypto.phrase import Phrase


def invalid_order(phrase: str) -> str:
    """The words of a phrase in an order whose checksum is wrong; one order in sixteen is right by chance."""
    words = phrase.split()
    for turn in range(1, len(words)):
        turned = " ".join(words[turn:] + words[:turn])
        try:
            Phrase.parse(Secret.from_text(turned))
        except strongroom.InvalidMnemonicError:
            return turned
    raise AssertionError("every order of the words is a phrase")


ABANDON = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141


def phrase(mnemonic: str = ABANDON, passphrase: str = "") -> Phrase:
    return Phrase.parse(Secret.from_text(mnemonic), Secret.from_text(passphrase))


def phrases() -> st.SearchStrategy[str]:
    """English phrases of every length."""
    entropies = st.sampled_from((16, 20, 24, 28, 32)).flatmap(lambda n: st.binary(min_size=n, max_size=n))
    return entropies.map(lambda e: Phrase.generate(len(e) * 3 // 4, random_bytes=lambda _: e).mnemonic.reveal_text())


def passphrases() -> st.SearchStrategy[str]:
    """Assigned characters only: what NFKD makes of others depends on the version of Unicode."""
    return st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cn", "Co")), max_size=20)


def keys() -> st.SearchStrategy[bytes]:
    """Private keys that every curve here takes, the ends of the range among them."""
    return (st.integers(1, ORDER - 1) | st.sampled_from((1, 255, ORDER - 1))).map(lambda n: n.to_bytes(32))


def fitting(scheme: str, key: bytes) -> bytes:
    """As many bytes made of a key of 32 as a key of a scheme has: family seeds have 16, those of Cardano up to 192."""
    if scheme in _EXTENDED:
        made = hashlib.shake_256(key).digest(_EXTENDED[scheme])
        parts = [made[at : at + 96] for at in range(0, len(made), 96)]
        return b"".join(
            bytes((each[0] & 0xF8,)) + each[1:31] + bytes((each[31] & 0x1F | 0x40,)) + each[32:] for each in parts
        )
    return key[-16:] if scheme.startswith("family-seed") else key


_EXTENDED = {"cip1852": 192, "icarus-trezor": 192, "enterprise": 96, "root": 96, "account": 96, "ed25519e": 64}
"""Scalars have bits that are set and others that are not."""
