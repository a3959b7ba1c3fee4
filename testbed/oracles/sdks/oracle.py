"""Answers one JSON request a line with one JSON line: what the chains' own libraries make of keys and texts.

Runs in the environment of requirements/oracles.txt, and sees nothing of the project.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from algosdk import account, encoding, mnemonic
from stellar_sdk import Keypair, StrKey
from xrpl import CryptoAlgorithm
from xrpl.core import addresscodec, keypairs


def stellar(key: str) -> Mapping[str, str]:
    """The address and the secret seed of 32 bytes."""
    pair = Keypair.from_raw_ed25519_seed(bytes.fromhex(key))
    return {"address": pair.public_key, "seed": pair.secret}


def stellar_phrase(words: str, passphrase: str, index: int) -> Mapping[str, str]:
    """The address and the secret seed of an account of a phrase. SEP-5."""
    pair = Keypair.from_mnemonic_phrase(words, passphrase=passphrase, index=index)
    return {"address": pair.public_key, "seed": pair.secret}


def stellar_valid(text: str) -> bool:
    """Whether a text is the address of an account."""
    return bool(StrKey.is_valid_ed25519_public_key(text))


def xrp_seed(entropy: str, algorithm: str) -> Mapping[str, str]:
    """The seed's text, and the keys and the address that it gives."""
    seed = keypairs.generate_seed(entropy, CryptoAlgorithm(algorithm))
    public, private = keypairs.derive_keypair(seed)
    return {"seed": seed, "public": public, "private": private, "address": keypairs.derive_classic_address(public)}


def xrp_key(public: str) -> str:
    """The address of a public key."""
    return str(keypairs.derive_classic_address(public))


def xrp_x_address(address: str, tag: int | None, test: bool) -> str:
    """The X-address of a classic address."""
    return str(addresscodec.classic_address_to_xaddress(address, tag, test))


def algorand(key: str) -> Mapping[str, str]:
    """The address and the 25 words of 32 bytes."""
    words = mnemonic.from_private_key(base64.b64encode(bytes.fromhex(key) * 2).decode())
    private = mnemonic.to_private_key(words)
    return {"address": account.address_from_private_key(private), "words": words}


def algorand_valid(text: str) -> bool:
    """Whether a text is an address."""
    return bool(encoding.is_valid_address(text))


OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "stellar": stellar,
    "stellar-phrase": stellar_phrase,
    "stellar-valid": stellar_valid,
    "xrp-seed": xrp_seed,
    "xrp-key": xrp_key,
    "xrp-x-address": xrp_x_address,
    "algorand": algorand,
    "algorand-valid": algorand_valid,
}

for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"result": OPERATIONS[request.pop("operation")](**request)}
    except Exception as error:
        answer = {"error": repr(error)}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
