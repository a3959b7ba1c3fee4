"""What wallets of Solana sign, as data."""

from __future__ import annotations

from strongroom.records.signing_kinds import ALLOW_RETIRED, DANGEROUS, Option, SigningKind, by_name

KINDS = by_name(
    SigningKind(
        "transaction",
        "a transaction",
        "bytes, base64 or base58: legacy or version 0, or a message of one (Solana)",
        ("bytes", "base64", "base58"),
        (Option("max_fee", "amount", "Another limit of its fee, in lamports (Solana).", metavar="N"), ALLOW_RETIRED),
    ),
    SigningKind(
        "message",
        "a message",
        "off-chain message (Solana)",
        ("bytes", "text"),
        (
            Option(
                "format",
                "choice",
                "offchain or raw (Solana).",
                default="offchain",
                choices=("offchain", "raw"),
                metavar="NAME",
            ),
            Option(
                "application_domain",
                "bytes",
                "The application of an off-chain message: base58 of 32 bytes (Solana).",
                metavar="BASE58",
            ),
            Option(
                "signers",
                "list",
                "An address that signs an off-chain message, the wallet's own among them (Solana).",
                metavar="ADDRESS",
                command_line="signer",
            ),
            ALLOW_RETIRED,
        ),
    ),
    SigningKind("digest", "a raw digest", "32 bytes (Solana)", ("bytes",), (DANGEROUS,)),
)
