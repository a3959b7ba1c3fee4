"""What wallets of the Bitcoin family sign, as data."""

from __future__ import annotations

from strongroom.records.signing_kinds import ALLOW_RETIRED, DANGEROUS, Option, SigningKind, by_name

SCHEMES = ("simple", "full", "legacy")
SIGHASHES = ("DEFAULT", "ALL", "NONE", "SINGLE", "ALL|ANYONECANPAY", "NONE|ANYONECANPAY", "SINGLE|ANYONECANPAY")
"""The names of ``sighash.NAMES``, which is not loaded for this."""

_AUXILIARY_RANDOMNESS = Option(
    "auxiliary_randomness", "flag", "Put fresh randomness into taproot signatures (BIP-340).", default=False
)

KINDS = by_name(
    SigningKind(
        "psbt",
        "a PSBT",
        "the inputs that are the wallet's; binary or base64, version 0 or 2 (Bitcoin)",
        ("bytes", "base64"),
        (
            Option("max_fee_sat", "amount", "Another limit of its fee.", metavar="SATOSHI"),
            Option(
                "sighash_allowed",
                "choices",
                "Also allow this hash type, such as NONE.",
                default=(),
                choices=SIGHASHES,
                metavar="NAME",
                command_line="sighash",
            ),
            Option("finalize", "flag", "Finish inputs, and print the transaction if it is whole.", default=False),
            Option("trust_witness_utxo", "flag", "Believe amounts that no previous transaction proves.", default=False),
            _AUXILIARY_RANDOMNESS,
            ALLOW_RETIRED,
        ),
    ),
    SigningKind(
        "message",
        "a message",
        "BIP-322 or the legacy scheme (Bitcoin)",
        ("bytes", "text"),
        (
            Option("scheme", "choice", "simple, full or legacy (Bitcoin).", choices=SCHEMES, metavar="NAME"),
            Option("prefix", "flag", "Leave out the prefix that names the variant (BIP-322).", default=True),
            _AUXILIARY_RANDOMNESS,
            ALLOW_RETIRED,
        ),
    ),
    SigningKind("digest", "a raw digest", "32 bytes (Bitcoin)", ("bytes", "hex"), (_AUXILIARY_RANDOMNESS, DANGEROUS)),
)
