"""Rows of networks whose addresses look like keys, and of those whose keys say a scheme: found, settled, sealed."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest

from strongroom.networks import TABLE
from strongroom.secret import Secret
from testbed.command_line import call
from testbed.databases.attacked import KEY, WHO, Attacked
from testbed.databases.deployments import Deployment

FOREIGN = pytest.mark.parametrize("core_deployments", ["g4"], indirect=True)
SCHEMES = [
    ("aptos", "slip10"),
    ("aptos", "secp256k1"),
    ("sui", "slip10"),
    ("sui", "secp256k1"),
    ("near", "slip10"),
    ("cosmos", "bip44"),
    ("injective", "bip44"),
    ("tron", "bip44"),
]
OTHER = "5c" * 32


def address_of(network: str, scheme: str, key: str = KEY) -> str:
    return TABLE.get(network).public_half(Secret(bytes.fromhex(key)), scheme).address


def text_of(network: str, scheme: str, key: str = KEY) -> str:
    return TABLE.get(network).format_private_key(Secret(bytes.fromhex(key)), scheme).reveal_text()


def planted(attacked: Attacked, project: UUID, address: str, text: str, network: str) -> UUID:
    wallet = attacked.credential(project, address)
    attacked.deployment.execute("UPDATE project_credentials SET network = ? WHERE id = ?", network, wallet)
    attacked.record(wallet, text, project)
    return wallet


def told_of(attacked: Attacked, wallet: UUID) -> dict[str, str]:
    return {each["code"]: each["evidence"] for each in attacked.doctor() if each["credential_id"] == str(wallet)}


@FOREIGN
def test_a_key_in_the_text_of_its_network_is_found_and_sealed(core_deployments: Deployment, tmp_path: Path) -> None:
    attacked = Attacked(core_deployments, tmp_path)
    wallets = {
        (network, scheme): planted(
            attacked, core_deployments.project(), address_of(network, scheme), text_of(network, scheme), network
        )
        for network, scheme in SCHEMES
    }
    found = attacked.doctor()
    for (network, scheme), wallet in wallets.items():
        [evidence] = [
            each["evidence"]
            for each in found
            if (each["credential_id"], each["code"]) == (str(wallet), "plaintext-key")
        ]
        assert f"derives the stored address ({network}, {scheme})" in evidence
    attacked.apply(attacked.plan())
    with core_deployments.open() as vault:
        for (network, scheme), wallet in wallets.items():
            revealed = vault.reveal(wallet, **WHO)
            assert revealed.private_key.reveal_text() == text_of(network, scheme), (network, scheme)
            assert [result.ok for result in vault.verify(wallet)] == [True]


@pytest.mark.parametrize("network", ["aptos", "sui"])
@FOREIGN
def test_a_row_that_names_another_network_is_settled_by_its_key(
    core_deployments: Deployment, tmp_path: Path, network: str
) -> None:
    attacked = Attacked(core_deployments, tmp_path)
    address = address_of(network, "slip10")
    wallet = planted(attacked, core_deployments.project(), address, KEY, "ethereum")
    assert f"derives the stored address ({network}, slip10)" in told_of(attacked, wallet)["plaintext-key"]
    other = planted(attacked, core_deployments.project(), address, OTHER, "ethereum")
    evidence = told_of(attacked, other)["plaintext-key"]
    assert "the stored address is ambiguous, and its row does not say which: aptos or sui" in evidence


@pytest.mark.parametrize("digits", [KEY, "0x" + KEY], ids=["digits", "with 0x"])
@FOREIGN
def test_a_key_that_stands_where_an_address_does_is_printed_nowhere(
    core_deployments: Deployment, tmp_path: Path, digits: str
) -> None:
    attacked = Attacked(core_deployments, tmp_path)
    planted(attacked, core_deployments.project(), digits, OTHER, "ethereum")
    base = ("--database", core_deployments.url, "--root-key", core_deployments.root_key)
    for options in ((), ("--json",)):
        answer = call("doctor", *base, *options)
        assert KEY not in answer.out + answer.err
    plan = attacked.plan()
    assert KEY not in plan.read_text()
    answer = attacked.apply(plan)
    assert KEY not in answer.out + answer.err
    assert KEY not in json.dumps(attacked.doctor())


@FOREIGN
def test_a_public_key_in_the_place_of_an_address_is_no_wallet_of_near(
    core_deployments: Deployment, tmp_path: Path
) -> None:
    attacked = Attacked(core_deployments, tmp_path)
    account = address_of("near", "slip10")
    wallet = planted(attacked, core_deployments.project(), account, KEY, "solana")
    assert "near" not in " ".join(told_of(attacked, wallet).values())
    own = planted(attacked, core_deployments.project(), account, KEY, "near-testnet")
    assert "derives the stored address (near-testnet, slip10)" in told_of(attacked, own)["plaintext-key"]
