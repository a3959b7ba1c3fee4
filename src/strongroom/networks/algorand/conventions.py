"""Where wallets of Algorand keep the keys of a phrase. Data, with sources; what is more usual comes first.

Not here: BIP32-Ed25519 (ARC-52), see docs/networks/algorand.md.
"""

from __future__ import annotations

from strongroom.records.conventions import Convention, Conventions

ALGORAND: Conventions = (
    Convention(
        "slip10",
        "m/44'/283'/{account}'/0'/{index}'",
        "Trust, Exodus, Coinomi and others that take BIP-39 phrases",
        "SLIP-0044; Trust wallet-core registry.json; bip_utils, Bip44Coins.ALGORAND",
    ),
    Convention(
        "slip10",
        "m/44'/283'/{account}'/0'",
        "libraries that derive every Ed25519 coin alike",
        "Solana's path",
        rare=True,
    ),
    Convention("slip10", "m/44'/283'/{account}'", "libraries that stop at the account", "SEP-0005's form", rare=True),
)
"""Where wallets keep the keys of Algorand in the tree of a phrase."""
