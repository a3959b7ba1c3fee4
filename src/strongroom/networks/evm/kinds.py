"""What wallets of the EVM family sign, as data."""

from __future__ import annotations

from strongroom.records.signing_kinds import (
    ALLOW_RETIRED,
    DANGEROUS,
    NONCE_GUARD,
    REPLACE,
    Option,
    SigningKind,
    by_name,
)

_ALLOW_OTHER_CHAIN = Option(
    "allow_other_chain", "flag", "Also where the domain names another chain (EIP-712).", default=False
)
_ALLOW_ANY_CHAIN = "allow_any_chain"
_ALLOW_EXTRA_MEMBERS = Option(
    "allow_extra_members", "flag", "Sign without members that the types do not name (EIP-712).", default=False
)

KINDS = by_name(
    SigningKind("message", "a message", "EIP-191 (EVM)", ("bytes", "text")),
    SigningKind(
        "typed-data",
        "a document of typed data",
        "EIP-712, version 4 (EVM)",
        ("mapping", "json"),
        (
            _ALLOW_OTHER_CHAIN,
            Option(
                _ALLOW_ANY_CHAIN,
                "flag",
                "Also where the domain names no chain: good on every chain (EIP-712).",
                default=False,
            ),
            _ALLOW_EXTRA_MEMBERS,
            ALLOW_RETIRED,
        ),
    ),
    SigningKind(
        "transaction",
        "a transaction",
        "JSON, or the unsigned bytes in hex: legacy, 2930, 1559, 4844, 7702 (EVM)",
        ("mapping", "json", "bytes", "hex"),
        (
            REPLACE,
            NONCE_GUARD,
            Option("allow_unprotected", "flag", "Also without a chain id: valid on every chain (EVM).", default=False),
            Option("max_fee", "amount", "Another limit of its fee, in wei (EVM).", metavar="N"),
            ALLOW_RETIRED,
        ),
    ),
    SigningKind(
        "authorization",
        "an authorization",
        "chainId, address and nonce: EIP-7702 (EVM)",
        ("mapping", "json"),
        (
            NONCE_GUARD,
            Option(
                _ALLOW_ANY_CHAIN, "flag", "Also where it is for chain 0: good on every chain (EIP-7702).", default=False
            ),
        ),
    ),
    SigningKind("digest", "a raw digest", "32 bytes (EVM)", ("bytes", "hex"), (DANGEROUS,)),
)
