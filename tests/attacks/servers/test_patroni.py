"""Patroni makes another member the leader, because the former one died or because somebody asked: clients go on.

The times without service that are printed at the end are those of docs/high-availability.md.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import strongroom
from testbed.databases.rows import execute
from testbed.harness.sizes import SIZE, seeded
from testbed.processes.signing import transaction
from testbed.servers.patroni import PatroniCluster
from tests.attacks.audit import audit
from tests.attacks.servers.patroni_load import DATABASE, WAYS, PatroniLoad
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally

pytestmark = pytest.mark.thorough

_SAMPLE = 500
"""Of how many signatures it is asked whether something else would be signed under their nonces."""


def kill_machine(cluster: PatroniCluster) -> None:
    """Patroni and PostgreSQL of the leader die; the machine comes back when another one leads."""
    leader = cluster.leader()
    leader.kill9()
    cluster.leader(other_than=leader)
    leader.start()


def kill_server(cluster: PatroniCluster) -> None:
    """PostgreSQL of the leader dies, and its Patroni sees it; the same member may win the election that follows."""
    leader = cluster.leader()
    cluster.leader_after_kill(leader, leader.kill_postmaster())


def switch_over(cluster: PatroniCluster) -> None:
    cluster.switchover()


FAULTS: Mapping[str, Callable[[PatroniCluster], None]] = {
    "leader's machine killed": kill_machine,
    "leader's PostgreSQL killed": kill_server,
    "switchover": switch_over,
}


@pytest.mark.sized("patroni_failovers")
def test_nothing_acknowledged_is_lost_whatever_makes_another_member_the_leader(
    cluster: PatroniCluster, root_key_uri: str, tmp_path: Path, tally: StartTally
) -> None:
    row = tally("failover, Patroni", "fresh")
    with strongroom.open(cluster.url(DATABASE), root_key=root_key_uri) as vault:
        shared, _ = vault.create_wallet(uuid4(), "ethereum")
    rng = seeded("patroni")
    faults: list[tuple[str, float, float]] = []
    urls = (cluster.pooler.url(DATABASE), cluster.url(DATABASE))
    with PatroniLoad(urls, root_key_uri, str(shared.id), tmp_path) as load:
        for number in range(SIZE.patroni_failovers):
            name = list(FAULTS)[number % len(FAULTS)]
            time.sleep(rng.uniform(0.1, 1))
            began = time.monotonic()
            FAULTS[name](cluster)
            row.fault(name)
            cluster.wait_until_whole()
            load.wait_for_answers(ended := time.monotonic())
            faults.append((name, began, ended))
    for name, began, ended in faults:
        row.outages += [(f"{name}, {way}", load.outage(way, began, ended)) for way in WAYS]
    for line in load.lines("error"):
        row.landed[f"told {line['code']}"] += 1
    _count_signatures(row, load, cluster.url(DATABASE), root_key_uri)
    told = {line["id"]: line["address"] for line in load.lines("wallet")}
    _count_wallets_too_many(row, load, cluster.url(DATABASE), root_key_uri)
    audit(row, cluster.url(DATABASE), root_key_uri, told)


def _count_signatures(row: Tally, load: PatroniLoad, url: str, root_key: str) -> None:
    """Two payloads under a nonce are a duplicate; a nonce that the vault has forgotten is a signature lost."""
    signed: dict[tuple[str, int], set[tuple[int, str]]] = defaultdict(set)
    for line in load.lines("signature"):
        row.acknowledged += 1
        signed[line["wallet"], line["nonce"]].add((line["value"], line["raw"]))
    row.duplicates += sum(len(payloads) - 1 for payloads in signed.values())
    nonces = {
        (str(UUID(str(wallet))), int(nonce, 0) if str(nonce).startswith("0x") else int(nonce))
        for wallet, nonce in execute(url, "SELECT credential_id, nonce FROM strongroom_nonce")
    }
    row.lost += len(signed.keys() - nonces)
    with strongroom.open(url, root_key=root_key) as vault:
        for (wallet, nonce), payloads in seeded("nonces").sample(sorted(signed.items()), min(_SAMPLE, len(signed))):
            value, raw = next(iter(payloads))
            again: Any = vault.sign_transaction(wallet, {**transaction(nonce, 100), "value": value})
            row.duplicates += bytes(again.raw_transaction).hex() != raw
            try:
                vault.sign_transaction(wallet, {**transaction(nonce, 100), "value": 1_000})
                row.duplicates += 1
            except strongroom.NonceConflictError:
                pass


def _count_wallets_too_many(row: Tally, load: PatroniLoad, url: str, root_key: str) -> None:
    """A request that is made once more, with its key, gives the wallet that was told; no project has two."""
    lines = list(load.lines("wallet"))
    counted = dict(execute(url, "SELECT project_id::text, count(*) FROM project_credentials GROUP BY project_id"))
    row.duplicates += sum(counted.get(line["project"], 1) - 1 for line in lines)
    with strongroom.open(url, root_key=root_key) as vault:
        for line in seeded("wallets").sample(lines, min(_SAMPLE, len(lines))):
            again, created = vault.create_wallet(UUID(line["project"]), "ethereum", idempotency_key=line["key"])
            row.duplicates += created or str(again.id) != line["id"]
