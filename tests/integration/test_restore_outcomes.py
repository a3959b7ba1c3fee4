"""Restoring a text where the connection dies: what committed is told, what did not is done again."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

import strongroom
from testbed.databases.rows import execute
from testbed.servers.proxy import Mode, Proxy, runs

PLACEHOLDER = "UPDATE credential_vault_storage SET encrypted_private_key = ''"
FILL = r"UPDATE credential_vault_storage"


@pytest.fixture
def lost(
    proxy: Proxy, make_postgresql_vault: Callable[..., str], root_key_uri: str
) -> tuple[str, str, strongroom.Wallet]:
    """A wallet whose text is stored in the history alone; the URL through the proxy, and the direct one."""
    url = make_postgresql_vault()
    with strongroom.open(url, root_key=root_key_uri) as vault:
        wallet = vault.import_wallet(uuid4(), "ethereum", private_key="11" * 32).wallet
        vault.rotate_sealing_key()
        assert [result.ok for result in vault.rewrap()] == [True]
    execute(url, PLACEHOLDER)
    return proxy.url(url.partition("?")[0].rpartition("/")[2]), url, wallet


@pytest.mark.parametrize("at", [FILL, "^COMMIT"])
@pytest.mark.parametrize("mode", ["before", "after", "in_flight"])
def test_a_connection_cut_during_a_restore_gives_the_right_answer(
    proxy: Proxy, lost: tuple[str, str, strongroom.Wallet], root_key_uri: str, mode: Mode, at: str
) -> None:
    through, url, wallet = lost
    with strongroom.open(through, root_key=root_key_uri) as vault:
        trap = proxy.arm(runs(at), mode)
        assert vault.restore(wallet).stored
        assert trap.fired
        assert [result.code for result in vault.verify()] == [None]
    assert execute(url, "SELECT count(*) FROM credential_usage_logs WHERE action_type = 'fill'") == [(1,)]


def test_a_server_that_stays_away_leaves_the_outcome_unknown(
    proxy: Proxy, lost: tuple[str, str, strongroom.Wallet], root_key_uri: str
) -> None:
    through, _, wallet = lost
    with strongroom.open(through, root_key=root_key_uri) as vault:
        proxy.arm(runs("^COMMIT"), "after", stay_down=True)
        with pytest.raises(strongroom.OutcomeUnknownError):
            vault.restore(wallet)
        proxy.disarm()
        assert not vault.restore(wallet).stored, "it had been stored"
