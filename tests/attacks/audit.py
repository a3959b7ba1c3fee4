"""After an attack: what became of the wallets, asked by the bare driver, and proved with the root key.

Nothing is believed that the vault says of itself but one thing: that ``verify`` opened a text and derived an address
from it. The address is then compared with the one that a caller was told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import strongroom
from testbed.databases.rows import HALF_WRAPPED, execute, lonely
from tests.attacks.tally import Tally

_NOT_KEPT = """
SELECT count(*) FROM credential_vault_storage v
 WHERE v.encrypted_private_key NOT IN ('', 'MIGRATION_REQUIRED', 'PRIVATE_KEY_NOT_RECOVERABLE') AND NOT EXISTS (
    SELECT 1 FROM strongroom_vault_history h
     WHERE h.credential_id = v.credential_id AND h.text = v.encrypted_private_key)
"""
_TWICE = """
SELECT (SELECT count(*) FROM (SELECT credential_id FROM credential_vault_storage
                               GROUP BY credential_id HAVING count(*) > 1) records),
       (SELECT count(*) FROM (SELECT credential_id FROM strongroom_slot
                               GROUP BY credential_id HAVING count(*) > 1) slots),
       (SELECT count(*) FROM (SELECT project_id FROM project_credentials WHERE status = 'active'
                               GROUP BY project_id, network, credential_type HAVING count(*) > 1) live)
"""

Told = Mapping[str, str]
"""Addresses that callers were told, by the wallet's id."""


def audit(tally: Tally, url: str, root_key: str, told: Told, *, foreign: bool = False) -> None:
    """Look at the whole database; add what was lost, made twice, half-made and unproved to a tally."""
    tally.acknowledged += len(told)
    tally.half_made += sum(lonely(url)) + len(execute(url, HALF_WRAPPED))
    if foreign:
        tally.half_made += execute(url, _NOT_KEPT)[0][0]
    tally.duplicates += sum(execute(url, _TWICE)[0])
    addresses = {str(row[0]): str(row[1]) for row in execute(url, "SELECT id, wallet_address FROM project_credentials")}
    with strongroom.open(url, root_key=root_key) as vault:
        results = list(vault.verify(phrases=True))
    proved = {str(result.id) for result in results if result.ok}
    tally.unproved += len(results) - len(proved)
    tally.lost += sum(1 for wallet, address in told.items() if addresses.get(wallet) != address or wallet not in proved)


def told_by(printed: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What lines that children printed told of wallets."""
    return {str(UUID(line["id"])): line["address"] for line in printed if "id" in line and "address" in line}
