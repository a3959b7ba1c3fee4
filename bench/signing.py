"""Signing by one caller, with a durable log row: alongside the floor, and alongside the way that old code signs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct

from bench import bare_signing, crypto_baseline
from bench.backends import Backend, Installation
from bench.bare_signing import SigningTask
from bench.creating import fill
from bench.crypto_baseline import NETWORK, BareKey
from bench.measure import Candidate, Measurement, Target, race, ratio, times, warm_up_turns
from bench.proofs import Proof
from strongroom.networks import TABLE
from strongroom.ports.signing import SigningNetwork
from strongroom.records.signing import SigningRequest
from strongroom.records.wallets import Wallet
from strongroom.usecases.prepare import prepare

WALLETS = 8
EXISTING = "g4"
KINDS = ("message", "transaction")
SHOWN = {"message": "messages", "transaction": "EIP-1559"}
_OLD_TURNS = 10
"""One of so many: the old way stretches a password each time."""

Found = tuple[list[Measurement], list[Target], list[Proof]]


def message(number: int) -> str:
    """The text of a turn."""
    return f"Log in to the bench, session {number}"


def transaction(number: int) -> dict[str, Any]:
    """An EIP-1559 transfer, as web3.py writes one; the nonce is the turn's number."""
    return {
        "type": 2,
        "chainId": 1,
        "nonce": number,
        "maxFeePerGas": 30_000_000_000,
        "maxPriorityFeePerGas": 1_000_000_000,
        "gas": 21_000,
        "to": "0x52908400098527886E0F7030069857D2E4169EE7",
        "value": 10**18,
        "data": "0x",
    }


def request(kind: str, number: int) -> SigningRequest:
    """What a turn asks for."""
    payload: Any = message(number) if kind == "message" else transaction(number)
    return SigningRequest(kind, payload)


def signing_network() -> SigningNetwork:
    """Ethereum, which signs."""
    network = TABLE.get(NETWORK)
    if not isinstance(network, SigningNetwork):
        raise TypeError("Ethereum does not sign")
    return network


def wallets_of(installation: Installation, keys: Sequence[BareKey]) -> list[Wallet]:
    """A wallet for each key, in projects of their own, written by the floor's hand."""
    projects = installation.new_projects(len(keys))
    fill(installation.bare(), installation, projects, keys, 1)
    return [wallet for project in projects for wallet in installation.vault.list_wallets(project).wallets]


def signed_bytes(signed: Any) -> bytes:
    """A signature, or the whole signed transaction: of ours, and of eth-account's."""
    found = getattr(signed, "raw_transaction", None)
    return bytes(signed.signature if found is None else found)


def eth_account_signs(kind: str, number: int, private_key: bytes | str) -> bytes:
    """The same by eth-account, whose curve is coincurve's where that is installed."""
    if kind == "message":
        return signed_bytes(Account.sign_message(encode_defunct(text=message(number)), private_key))
    return signed_bytes(Account.sign_transaction(transaction(number), private_key))


def measure_sign(backend: Backend, turns: int) -> Found:
    """One caller, who waits for the commit; on PostgreSQL also alongside legacy tables."""
    measured, targets, proofs = _measure(backend, turns, None)
    if backend.kind == "postgresql":
        for found, more in zip((measured, targets, proofs), _measure(backend, turns, EXISTING), strict=True):
            found += more  # type: ignore[operator]
    return measured, targets, proofs


def _measure(backend: Backend, turns: int, generation: str | None) -> Found:
    where = "sign" if generation is None else f"sign on {generation}"
    keys = [crypto_baseline.given_key() for _ in range(WALLETS)]
    measured: list[Measurement] = []
    targets: list[Target] = []
    proofs: list[Proof] = []
    with ExitStack() as stack:
        houses = [stack.enter_context(backend.installation(generation)) for _ in range(3)]
        hands = [
            made(installation, keys) for made, installation in zip((_SigningFloor, _Ours, _Old), houses, strict=True)
        ]
        for kind in KINDS:
            name = SHOWN[kind]
            quick = [hand.candidate(kind, warm_up_turns(turns) + turns) for hand in hands[:2]]
            slow = hands[2].candidate(kind, 1 + turns // _OLD_TURNS)
            measured += times(where, backend.kind, race(quick, turns, warm_up_turns(turns)))
            measured += times(where, backend.kind, race([slow], max(1, turns // _OLD_TURNS), 1))
            targets.append(ratio(f"{where}, {name}, times its floor", 1.4, measured, quick[1].name, quick[0].name))
            proofs += _proofs(f"{where}, {name}", backend.kind, hands, kind)
    return measured, targets, proofs


class _Hand:
    """Somebody who signs in a house, and keeps what was signed for the proofs."""

    name: str

    def __init__(self, installation: Installation, keys: Sequence[BareKey]) -> None:
        self.installation, self.keys = installation, keys
        self.wallets = wallets_of(installation, keys)
        self.signed: dict[str, dict[int, bytes]] = {kind: {} for kind in KINDS}

    def candidate(self, kind: str, turns: int) -> Candidate:
        """Signs another payload each turn."""
        return Candidate(f"{SHOWN[kind]}: {self.name}", self._signing(kind), self._inputs(kind, max(2, turns)))

    def _inputs(self, kind: str, turns: int) -> Sequence[Any]:
        return range(turns)

    def _signing(self, kind: str) -> Callable[[Any], None]:
        raise NotImplementedError

    @property
    def rows(self) -> int:
        """Log rows of signatures."""
        return count_signed(self.installation)


class _Ours(_Hand):
    name = "strongroom"

    def _signing(self, kind: str) -> Callable[[int], None]:
        vault, wallets, signed = self.installation.vault, self.wallets, self.signed[kind]

        def sign(number: int) -> None:
            wallet_id = wallets[number % WALLETS].id
            if kind == "message":
                signed[number] = signed_bytes(vault.sign_message(wallet_id, message(number)))
            else:
                signed[number] = signed_bytes(vault.sign_transaction(wallet_id, transaction(number)))

        return sign


class _SigningFloor(_Hand):
    name = "floor"

    def _inputs(self, kind: str, turns: int) -> Sequence[tuple[int, SigningTask]]:
        network = signing_network()
        return [
            (
                number,
                bare_signing.signing_task(
                    self.installation,
                    wallet.id,
                    wallet.project_id,
                    self.keys[number % WALLETS],
                    prepare(network, wallet, request(kind, number))[0].digest,
                    None if kind == "message" else number,
                ),
            )
            for number in range(turns)
            for wallet in [self.wallets[number % WALLETS]]
        ]

    def _signing(self, kind: str) -> Callable[[tuple[int, SigningTask]], None]:
        signer, signed = bare_signing.bare_signer(self.installation), self.signed[kind]

        def sign(given: tuple[int, SigningTask]) -> None:
            signed[given[0]] = bare_signing.sign(signer, given[1])

        return sign


class _Old(_SigningFloor):
    """Read, stretch the password, open, sign with eth-account, log: two commits, of which the first only reads."""

    name = "the old way"

    def __init__(self, installation: Installation, keys: Sequence[BareKey]) -> None:
        super().__init__(installation, keys)
        signer = bare_signing.bare_signer(installation)
        for wallet, key in zip(self.wallets, keys, strict=True):
            signer.put(wallet.id, bare_signing.envelope(key.private_key))

    def _signing(self, kind: str) -> Callable[[tuple[int, SigningTask]], None]:
        signer, signed = bare_signing.bare_signer(self.installation), self.signed[kind]

        def sign(given: tuple[int, SigningTask]) -> None:
            number, task = given
            private_key = bare_signing.opened_envelope(signer.text_of(task.wallet_id))
            signed[number] = eth_account_signs(kind, number, private_key)
            signer.log(task)

        return sign


def count_signed(installation: Installation) -> int:
    """Log rows of signatures in a house."""
    found = installation.bare().run("SELECT count(*) FROM credential_usage_logs WHERE action_type = 'sign'")
    return int(found[0][0])


def _proofs(what: str, kind: str, hands: Sequence[_Hand], payload: str) -> list[Proof]:
    floor, ours, old = (hand.signed[payload] for hand in hands)
    logged = all(hand.rows == sum(map(len, hand.signed.values())) for hand in hands)
    return [
        Proof(f"{what}: a log row for each signature, by everyone", kind, logged),
        Proof(
            f"{what}: strongroom's signatures are the floor's",
            kind,
            floor.keys() == ours.keys() and all(_holds(ours[number], floor[number]) for number in ours),
        ),
        Proof(
            f"{what}: and those of the old way, byte by byte",
            kind,
            len(old) > 0 and all(ours[number] == old[number] for number in old.keys() & ours.keys()),
        ),
    ]


def _holds(signed: bytes, recoverable: bytes) -> bool:
    """Whether r and s of a bare signature are in a signature or a signed transaction, which drops leading zeros."""
    return all(part.lstrip(b"\0") in signed for part in (recoverable[1:33], recoverable[33:]))
