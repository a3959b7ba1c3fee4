"""A node that cannot be reached: projects of the others go on, and what needs all nodes says that it can be retried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault, Wallet
from testbed.databases.rows import execute

UNUSED_PORT = 1
_WORKER = "SELECT max(nodeid) FROM pg_dist_node WHERE groupid > 0 AND shouldhaveshards"
_AT = """
SELECT n.nodeid FROM pg_dist_shard s JOIN pg_dist_placement p USING (shardid) JOIN pg_dist_node n USING (groupid)
 WHERE s.shardid = get_shard_id_for_distribution_column('strongroom.project_credentials', %s)
"""


def refused(vault: Vault, wallet: Wallet) -> None:
    """A signature that is refused, which is logged."""
    with pytest.raises(strongroom.SigningError):
        vault.sign(wallet.id, "no such kind", b"x", project_id=wallet.project_id)


def rewrapped(vault: Vault, wallet: Wallet) -> None:
    results = list(vault.rewrap(project_id=wallet.project_id))
    assert [result for result in results if not result.ok] == []
    assert wallet.id in {result.id for result in results}


GIVEN_A_PROJECT: tuple[Callable[[Vault, Wallet], Any], ...] = (
    refused,
    rewrapped,
    lambda vault, wallet: vault.restore(wallet.id, project_id=wallet.project_id),
    lambda vault, wallet: vault.list_wallets(wallet.project_id),
    lambda vault, wallet: vault.create_wallet(wallet.project_id, "ethereum", label="derived", phrase="default"),
    lambda vault, wallet: vault.create_many(wallet.project_id, "ethereum", ["derived", "another"]),
    lambda vault, wallet: list(vault.verify_phrases(wallet.project_id)),
    lambda vault, wallet: vault.replace_wallet(wallet.id, project_id=wallet.project_id),
    lambda vault, wallet: vault.revoke_wallet(wallet.id, project_id=wallet.project_id),
)


@contextmanager
def unreachable(url: str, node: int) -> Iterator[None]:
    """Let the coordinator look for a node where nobody listens; sessions that are open still reach it."""
    with psycopg.connect(url, autocommit=True) as connection:
        (port,) = connection.execute("SELECT nodeport FROM pg_dist_node WHERE nodeid = %s", (node,)).fetchone() or (0,)
        try:
            connection.execute("UPDATE pg_dist_node SET nodeport = %s WHERE nodeid = %s", (UNUSED_PORT, node))
            yield
        finally:
            connection.execute("UPDATE pg_dist_node SET nodeport = %s WHERE nodeid = %s", (port, node))


def code(call: Callable[[], Any]) -> str | None:
    """How a call failed that may be repeated; None where it did not."""
    try:
        call()
    except strongroom.StrongroomError as error:
        assert error.retryable, error
        return str(error.code)
    return None


def test_projects_of_other_nodes_go_on(distributed_url: str, root_key_uri: str) -> None:
    ((lost,),) = execute(distributed_url, _WORKER)
    with strongroom.open(distributed_url, root_key=root_key_uri) as vault:
        wallets = [vault.create_wallet(uuid4(), "ethereum").wallet for _ in range(12)]
        for wallet in wallets:
            vault.create_phrase(wallet.project_id)
        vault.rotate_sealing_key()
    with psycopg.connect(distributed_url) as connection:
        there = {wallet.id: connection.execute(_AT, (wallet.project_id,)).fetchone() == (lost,) for wallet in wallets}
    assert set(there.values()) == {False, True}
    with unreachable(distributed_url, lost), strongroom.open(distributed_url, root_key=root_key_uri) as vault:
        for wallet in wallets:
            expected = "store-unavailable" if there[wallet.id] else None
            assert code(lambda: vault.get_wallet(wallet.id, project_id=wallet.project_id)) == expected  # noqa: B023 - runs now
            assert code(lambda: vault.sign_message(wallet, b"x")) == expected  # noqa: B023
            assert code(lambda: vault.create_wallet(wallet.project_id, "solana")) == expected  # noqa: B023
            for verb in GIVEN_A_PROJECT:
                assert code(lambda: verb(vault, wallet)) == expected, wallet  # noqa: B023
        assert_all_nodes_are_needed(vault, wallets[0])
    with strongroom.open(distributed_url, root_key=root_key_uri) as vault:
        assert [result.code for result in vault.verify()] == [None] * (12 + 4 * list(there.values()).count(False))


def assert_all_nodes_are_needed(vault: Vault, wallet: Any) -> None:
    for verb in (
        lambda: vault.get_wallet(wallet.id),
        lambda: vault.find_by_address(wallet.address),
        lambda: list(vault.verify()),
        vault.status,
        vault.rotate_sealing_key,
        lambda: vault.create_phrase(uuid4()),
    ):
        assert code(verb) == "store-unavailable"
