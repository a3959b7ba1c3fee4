"""Published examples: EIP-155, EIP-712, web3.js's message, eth-account's authorization, version 4 of typed data."""

from __future__ import annotations

import copy
import json
from typing import Any

from strongroom.networks.keccak import keccak_256
from testbed.networks import evm_payloads

COW = keccak_256(b"cow")


def test_the_transaction_of_eip_155() -> None:
    prepared = evm_payloads.prepare("transaction", evm_payloads.LEGACY)
    assert prepared.digest.hex() == "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"
    signed = prepared.sign(evm_payloads.material())
    assert (signed.v, signed.y_parity) == (37, 0)
    assert signed.r == 18515461264373351373200002665853028612451056578545711640558177340181847433846
    assert signed.s == 46948507304638947509940763649030358759909902576025900602547168820602576006531
    assert signed.raw_transaction.hex() == (
        "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe"
        "537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
    )


def test_the_serialized_transaction_of_eip_155() -> None:
    raw = "0xec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080"
    assert evm_payloads.transaction(raw) == evm_payloads.transaction(evm_payloads.LEGACY)


def test_the_mail_of_eip_712() -> None:
    signed = evm_payloads.signature("typed-data", evm_payloads.MAIL, COW)
    assert signed.digest.hex() == "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
    assert signed.as_dict() == {
        "digest": "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2",
        "signature": "0x4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d"
        "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b915621c",
        "r": "0x4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d",
        "s": "0x07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562",
        "v": 28,
        "y_parity": 1,
    }
    assert evm_payloads.signature("typed-data", json.dumps(evm_payloads.MAIL), COW) == signed
    inferred = copy.deepcopy(evm_payloads.MAIL)
    del inferred["types"]["EIP712Domain"]
    assert evm_payloads.signature("typed-data", inferred, COW) == signed


def test_the_mail_to_a_group_of_version_4() -> None:
    document: dict[str, Any] = copy.deepcopy(evm_payloads.MAIL)
    document["types"]["Person"][1] = {"name": "wallets", "type": "address[]"}
    document["types"]["Mail"][1] = {"name": "to", "type": "Person[]"}
    document["types"]["Group"] = [{"name": "name", "type": "string"}, {"name": "members", "type": "Person[]"}]
    document["message"] = {
        "from": {
            "name": "Cow",
            "wallets": ["0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826", "0xDeaDbeefdEAdbeefdEadbEEFdeadbeEFdEaDbeeF"],
        },
        "to": [
            {
                "name": "Bob",
                "wallets": [
                    "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB",
                    "0xB0BdaBea57B0BDABeA57b0bdABEA57b0BDabEa57",
                    "0xB0B0b0b0b0b0B000000000000000000000000000",
                ],
            }
        ],
        "contents": "Hello, Bob!",
    }
    signed = evm_payloads.signature("typed-data", document, COW)
    assert signed.digest.hex() == "a85c2e2b118698e88db68a8105b794a8cc7cec074e89ef991cb4f5f533819cc2"
    assert signed.signature.hex() == (
        "65cbd956f2fae28a601bebc9b906cea0191744bd4c4247bcd27cd08f8eb6b71c"
        "78efdf7a31dc9abee78f492292721f362d296cf86b4538e07b51303b67f749061b"
    )


def test_the_message_of_web3_js() -> None:
    key = bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
    signed = evm_payloads.signature("message", "Some data", key)
    assert signed.digest.hex() == "1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655"
    assert signed.signature.hex() == (
        "b91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd"
        "6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c"
    )


def test_the_authorization_of_eth_accounts_documentation() -> None:
    """Of chain 1337, which is no network here: hashed, not signed."""
    from strongroom.networks.evm.authorization import Authorization

    address = bytes.fromhex("5ce9454909639d2d17a3f753ce7d93fa0b9ab12e")
    digest = Authorization(1337, address, 1).digest()
    assert digest.hex() == "9026f77ed6740d6d08f0cdc0591a86b2232700020a816718fbf760785e9ca2f2"
    signed = evm_payloads.signature("digest", digest, b"\xaa" * 32)
    assert (signed.y_parity, signed.r, signed.s) == (
        0,
        52163433520757118830640642673035732532535423029712132518776649895118143897479,
        57576671166887700066365341925867052133948674355067837907255957076179513983345,
    )
