"""Signing in memory, without a database: alongside the bare library, and alongside eth-account."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import wallycore

from bench import crypto_baseline
from bench.bare_signing import RECOVERABLE
from bench.crypto_baseline import NETWORK, PATH, SCHEME, BareKey
from bench.measure import Candidate, Target, named, race, rates
from bench.proofs import Proof
from bench.signing import KINDS, SHOWN, Found, eth_account_signs, request, signed_bytes, signing_network
from strongroom.records.key_material import KeyMaterial, PublicHalf
from strongroom.records.stored_wallets import wallet_of_key
from strongroom.records.wallets import Wallet
from strongroom.secret import Secret
from strongroom.usecases.prepare import prepare

_AT_ONCE = 20
"""Signatures a turn in memory: who follows another's code in the processor's caches pays for it once."""


def measure_in_memory(turns: int) -> Found:
    """No database and nothing sealed: read, hash, sign; ours also proves the signature, which the others do not."""
    key, network = crypto_baseline.given_key(), signing_network()
    material = KeyMaterial(Secret(key.private_key), SCHEME, PATH)
    wallet = _imagined(key, material)
    digest = prepare(network, wallet, request("message", 0))[0].digest

    def ours(kind: str) -> Callable[[int], bytes]:
        return lambda number: signed_bytes(prepare(network, wallet, request(kind, number))[0].sign(material))

    def theirs(kind: str) -> Callable[[int], bytes]:
        return lambda number: eth_account_signs(kind, number, key.private_key)

    def bare(_: int) -> bytes:
        return bytes(wallycore.ec_sig_from_bytes(key.private_key, digest, RECOVERABLE))

    def proved(number: int) -> bytes:
        return bytes(wallycore.ec_sig_to_public_key(digest, bare(number)))

    signers = {"floor: libsecp256k1": bare, "floor: libsecp256k1, sign and recover": proved}
    for kind in KINDS:
        signers[f"{SHOWN[kind]}: strongroom, with its proof"] = ours(kind)
        signers[f"{SHOWN[kind]}: eth-account"] = theirs(kind)
    many = max(2, turns // _AT_ONCE)
    candidates = [Candidate(name, _repeated(signer), range(many + 2)) for name, signer in signers.items()]
    measured = rates("sign in memory", "", race(candidates, many, 2), _AT_ONCE)
    targets, proofs = [], []
    for kind in KINDS:
        fast = named(measured, f"{SHOWN[kind]}: strongroom, with its proof")
        slow = named(measured, f"{SHOWN[kind]}: eth-account")
        text = f"sign in memory, {SHOWN[kind]}, times eth-account's rate (CPU)"
        targets.append(Target(text, "", 10, fast.cpu / slow.cpu, fast.best / slow.best, at_least=True))
        equal = all(ours(kind)(number) == theirs(kind)(number) for number in range(5))
        proofs.append(Proof(f"sign in memory: the same bytes as eth-account ({SHOWN[kind]})", "", equal))
    return measured, targets, proofs


def _repeated(signer: Callable[[int], bytes]) -> Callable[[int], None]:
    def run(turn: int) -> None:
        for number in range(turn * _AT_ONCE, (turn + 1) * _AT_ONCE):
            signer(number)

    return run


def _imagined(key: BareKey, material: KeyMaterial) -> Wallet:
    """A wallet that is in no database."""
    half = PublicHalf(key.public_key, key.address)
    return wallet_of_key(uuid.uuid4(), uuid.uuid4(), NETWORK, "bench", material, half, datetime.now(UTC))
