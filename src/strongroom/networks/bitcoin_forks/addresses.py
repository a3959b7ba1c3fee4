"""What an address pays, in every form in which the chains write it; and back."""

from __future__ import annotations

from typing import NamedTuple

from strongroom.networks.bitcoin_forks.chain import BitcoinForkChain
from strongroom.networks.codecs import base58_address, cashaddr, segwit_address

P2PKH, P2SH, WITNESS_0, TAPROOT = "p2pkh", "p2sh", "witness 0", "taproot"
_CASHADDR_KINDS = (P2PKH, P2SH, P2PKH, P2SH)
"""By number; the last two say that tokens can be sent there, too, and are the same scripts. CHIP-2022-02-CashTokens."""
_LENGTHS = {P2PKH: (20,), P2SH: (20,), WITNESS_0: (20, 32), TAPROOT: (32,)}
_CASHADDR_LENGTHS = {P2PKH: (20,), P2SH: (20, 32)}


class Paid(NamedTuple):
    """What an address pays."""

    form: str
    digest: bytes
    """A hash of a public key or of a script, or a taproot output key."""


def write(chain: BitcoinForkChain, paid: Paid) -> str:
    """The address, in the form that the chain's wallets write today."""
    if paid.form in (WITNESS_0, TAPROOT):
        return segwit_address.encode(chain.hrp, int(paid.form == TAPROOT), paid.digest)
    if chain.cashaddr:
        return cashaddr.encode(chain.cashaddr, _CASHADDR_KINDS.index(paid.form), paid.digest)
    return base58_address.encode(chain.p2pkh_version if paid.form == P2PKH else chain.p2sh_version, paid.digest)


def read(chain: BitcoinForkChain, text: str) -> Paid | None:
    """What an address pays, or None where a text is none of the chain."""
    return _witness(chain, text) or _cashaddr(chain, text) or _base58(chain, text)


def _witness(chain: BitcoinForkChain, text: str) -> Paid | None:
    found = segwit_address.decode(chain.hrp, text) if chain.hrp else None
    if found is None or found[0] > 1:
        return None
    form = TAPROOT if found[0] else WITNESS_0
    return Paid(form, found[1]) if len(found[1]) in _LENGTHS[form] else None


def _cashaddr(chain: BitcoinForkChain, text: str) -> Paid | None:
    found = cashaddr.decode(chain.cashaddr, text) if chain.cashaddr else None
    if found is None or found[0] >= len(_CASHADDR_KINDS):
        return None
    form = _CASHADDR_KINDS[found[0]]
    return Paid(form, found[1]) if len(found[1]) in _CASHADDR_LENGTHS[form] else None


def _base58(chain: BitcoinForkChain, text: str) -> Paid | None:
    found = base58_address.decode(text)
    if found is None:
        return None
    version, digest = found
    if version == chain.p2pkh_version:
        return Paid(P2PKH, digest)
    return Paid(P2SH, digest) if version in (chain.p2sh_version, chain.former_p2sh_version) else None
