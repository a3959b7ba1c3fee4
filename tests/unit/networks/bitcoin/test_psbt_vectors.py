"""The published vectors of BIP-174, BIP-370, BIP-371 and BIP-341."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from strongroom.errors import MalformedPayloadError, SignatureRefusedError
from strongroom.networks.bitcoin import psbt_fields as fields
from strongroom.networks.bitcoin import signer, witnesses
from strongroom.networks.bitcoin.psbt import Psbt
from strongroom.networks.bitcoin.sighash import Sighashes
from strongroom.networks.bitcoin.transaction import BitcoinTransaction, TransactionOutput
from strongroom.secret import Secret
from testbed.networks.bitcoin_payloads import material, point, prepare, wallet
from testbed.networks.published import load
from tests.unit.networks.bitcoin.oracles import from_der

pytestmark = pytest.mark.usefixtures("vectors")
BIPS = ("0174", "0370", "0371")


def vectors(verdict: str | None) -> list[tuple[str, bytes]]:
    found = []
    for bip in BIPS:
        for each in load("psbt", f"bip-{bip}.json"):
            if each.get("verdict") == verdict:
                raw = bytes.fromhex(each["hex"]) if "hex" in each else base64.b64decode(each["base64"])
                found.append((f"{each['section']} {each['case']}", raw))
    return found


def test_every_valid_psbt_is_read_and_written_as_it_was() -> None:
    cases = vectors("valid")
    assert len(cases) == 10 + 14 + 6
    for name, raw in cases:
        assert Psbt.parse(raw).serialise() == raw, name


def test_every_invalid_psbt_is_malformed() -> None:
    cases = vectors("invalid")
    assert len(cases) == 20 + 24 + 11
    for _, raw in cases:
        for payload in (raw, base64.b64encode(raw).decode()):
            with pytest.raises(MalformedPayloadError):
                prepare(wallet("p2wpkh"), "psbt", payload)


def test_what_a_signer_must_refuse_is_refused_and_says_why() -> None:
    cases = vectors("signer-must-refuse")
    reasons = ("witness UTXO", "redeem script", "redeem script", "witness script")
    assert len(cases) == len(reasons)
    for (_, raw), reason in zip(cases, reasons, strict=True):
        Psbt.parse(raw)
        with pytest.raises(SignatureRefusedError, match=reason):
            prepare(wallet("p2wpkh"), "psbt", raw)


def test_lock_times_are_those_of_bip_370() -> None:
    seen = 0
    for each in load("psbt", "bip-0370.json"):
        section = each["section"]
        if "should be computed to be" in section:
            wanted = int(section.split()[-1].rstrip(":"))
            assert Psbt.parse(bytes.fromhex(each["hex"])).tx.locktime == wanted
            seen += 1
        elif "cannot be computed" in section:
            with pytest.raises(MalformedPayloadError, match="lock times"):
                Psbt.parse(bytes.fromhex(each["hex"]))
            seen += 1
    assert seen == 10


def test_the_hashes_of_the_signers_of_bip_174_are_theirs() -> None:
    """Multisig, which a wallet does not sign: but the hashes that its signatures are made over are the same kind."""
    found = [each for each in load("psbt", "bip-0174.json") if "combiner must create" in (each["section"] or "")]
    psbt = Psbt.parse(bytes.fromhex(found[0]["hex"]))
    with pytest.raises(SignatureRefusedError, match="No input"):
        prepare(wallet("p2wpkh"), "psbt", psbt.serialise())
    spent = [psbt.non_witness_utxo(0), psbt.witness_utxo(1)]
    assert isinstance(spent[0], BitcoinTransaction)
    first = spent[0].outputs[psbt.tx.inputs[0].index]
    assert isinstance(spent[1], TransactionOutput)
    hashes = Sighashes(psbt.tx, (first, spent[1]))
    digests = (
        hashes.legacy(0, psbt.inputs[0][fields.REDEEM_SCRIPT], 1),
        hashes.version_0(1, psbt.inputs[1][fields.WITNESS_SCRIPT], spent[1].amount_sat, 1),
    )
    checked = 0
    for digest, each in zip(digests, psbt.inputs, strict=True):
        for key, value in each.items():
            if key[0] == fields.PARTIAL_SIG[0]:
                compact = from_der(value[:-1])
                assert compact is not None
                assert signer.verifies_ecdsa(key[1:], digest, compact)
                checked += 1
    assert checked == 4


# --- BIP-341 -------------------------------------------------------------------------------------------------


def spending() -> dict[str, Any]:
    case: dict[str, Any] = load("bip341", "wallet-test-vectors.json")["keyPathSpending"][0]
    return case


def test_hashes_keys_and_signatures_are_those_of_bip_341() -> None:
    case = spending()
    tx = BitcoinTransaction.parse(bytes.fromhex(case["given"]["rawUnsignedTx"]), "tx", witnesses=False)
    spent = [
        TransactionOutput(each["amountSats"], bytes.fromhex(each["scriptPubKey"]))
        for each in case["given"]["utxosSpent"]
    ]
    hashes = Sighashes(tx, spent)
    for each in case["inputSpending"]:
        given, between = each["given"], each["intermediary"]
        root = None if given["merkleRoot"] is None else bytes.fromhex(given["merkleRoot"])
        key = bytes.fromhex(given["internalPrivkey"])
        digest = hashes.taproot(given["txinIndex"], given["hashType"])
        assert digest.hex() == between["sigHash"]
        assert signer.tweaked(Secret(key), root).reveal().hex() == between["tweakedPrivkey"]
        assert spent[given["txinIndex"]].script[2:] == signer.output_key(point(key), root)
        made = witnesses.signature(material(key), point(key), "p2tr", digest, given["hashType"], root)
        assert [made.hex()] == each["expected"]["witness"]
