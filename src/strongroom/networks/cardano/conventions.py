"""Where wallets of Cardano keep the keys of a phrase: tried when nobody says which path it was. Data, with sources.

An entry is a scheme, a path of the payment key, who derives there, and where that can be read up. ``{account}`` and
``{index}`` stand for numbers from 0. What is more usual comes first. Ledger's master key is another one, and left out.
"""

from __future__ import annotations

from strongroom.networks.cardano.schemes import CIP1852, ENTERPRISE, TREZOR
from strongroom.records.conventions import Convention, Conventions

_PAYMENT = "m/1852'/1815'/{account}'/0/{index}"
_CHANGE = "m/1852'/1815'/{account}'/1/{index}"

CARDANO: Conventions = (
    Convention(CIP1852, _PAYMENT, "Eternl, Lace, Yoroi, Daedalus, Typhon, Trust", "CIP-1852, CIP-3 'Icarus'"),
    Convention(ENTERPRISE, _PAYMENT, "exchanges and scripts, without a stake key", "CIP-1852, CIP-19"),
    Convention(TREZOR, _PAYMENT, "Trezor with 24 words", "CIP-3, 'Icarus', section Trezor; trezor-firmware pull 1388"),
    Convention(CIP1852, _CHANGE, "addresses of change, of the same wallets", "CIP-1852", rare=True),
    Convention(ENTERPRISE, _CHANGE, "addresses of change without a stake key", "CIP-1852, CIP-19", rare=True),
)
"""Where wallets keep the keys of Cardano in the tree of a phrase."""
