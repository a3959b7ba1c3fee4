"""embit, bdk (rust-bitcoin, miniscript) and libwally's own PSBT code. Untyped, so imported by name."""

from __future__ import annotations

import base64
import warnings
from functools import cache
from importlib import import_module
from typing import Any

from strongroom.networks import TABLE
from strongroom.secret import Secret

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    embit_ec: Any = import_module("embit.ec")
    embit_psbt: Any = import_module("embit.psbt")
    embit_finalizer: Any = import_module("embit.finalizer")
    embit_script: Any = import_module("embit.script")
    embit_transaction: Any = import_module("embit.transaction")
    bdk: Any = import_module("bdkpython")
    wally: Any = import_module("wallycore")

DESCRIPTORS = {"p2wpkh": "wpkh({})", "p2tr": "tr({})", "p2pkh": "pkh({})", "p2sh-p2wpkh": "sh(wpkh({}))"}


@cache
def bdk_wallet(form: str, key: bytes) -> Any:
    """A wallet of bdk with one descriptor: that of a key in one form."""
    wif = TABLE.get("bitcoin").format_private_key(Secret(key)).reveal_text()
    descriptor = bdk.Descriptor(DESCRIPTORS[form].format(wif), bdk.NetworkKind.MAIN)
    return bdk.Wallet.create_single(descriptor, bdk.Network.BITCOIN, bdk.Persister.new_in_memory())


def bdk_signed(psbt: bytes, *wallets: tuple[str, bytes]) -> bytes:
    """What bdk makes of a PSBT: signatures of each wallet, low r, nothing final."""
    made = bdk.Psbt(base64.b64encode(psbt).decode())
    options = bdk.SignOptions(
        trust_witness_utxo=True,
        assume_height=None,
        allow_all_sighashes=True,
        try_finalize=False,
        sign_with_tap_internal_key=True,
        allow_grinding=True,
    )
    for each in wallets:
        bdk_wallet(*each).sign(made, options)
    return base64.b64decode(made.serialize())


def bdk_transaction(psbt: bytes) -> bytes:
    """The transaction that bdk makes of a PSBT: it runs every script, and so verifies every signature."""
    result = bdk.Psbt(base64.b64encode(psbt).decode()).finalize()
    assert result.could_finalize, result.errors
    return bytes(result.psbt.extract_tx_unchecked_fee_rate().serialize())


def embit_read(psbt: bytes) -> Any:
    return embit_psbt.PSBT.parse(psbt)


def from_der(data: bytes) -> bytes | None:
    """r and s of strict DER, or None where it is none."""
    try:
        return bytes(wally.ec_sig_from_der(data))
    except ValueError:
        return None
