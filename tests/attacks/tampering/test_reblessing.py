"""`strongroom upgrade` gives tags to what older versions wrote, and to nothing whose tags were taken away.

A writer who makes a vault look like one of an older version would have it bless what he wrote: a person runs the
upgrade because an error says so.
"""

from __future__ import annotations

import pytest

from strongroom import StrongroomError
from strongroom.records.usage_log import Attribution
from strongroom.settings import Settings
from strongroom.wiring import open_upgrade
from tests.attacks.tampering.matrix_backend import KEPT_OUT, MESSAGE, MatrixBackend, Statement

_HEAD = "UPDATE strongroom_keyring_head SET {}"
_MIGRATION = "UPDATE strongroom_migrations SET version_num = '{}'"
_REVIVED = (
    "UPDATE project_credentials SET status = 'active', is_active = true, revoked_at = NULL WHERE id = ?",
    "UPDATE credential_vault_storage SET access_level = 'project_admin' WHERE credential_id = ?",
    "DELETE FROM strongroom_wallet WHERE credential_id = ?",
)
LOOKS_OLDER = {
    "a head whose states cannot be read": _HEAD.format("states = 'x'"),
    "a head whose states are none": _HEAD.format("""states = '{"x": 5}'"""),
    "a head with states that are too long": _HEAD.format(f"states = '{'[' * 20_000}'"),
    "a head without a tag": _HEAD.format("tag = NULL, kid = NULL"),
    "no head": "DELETE FROM strongroom_keyring_head",
    "the migration before tags": _MIGRATION.format("0002"),
    "the first migration": _MIGRATION.format("0001"),
    "no migration": "DELETE FROM strongroom_migrations",
}


def upgrade(backend: MatrixBackend) -> str:
    """What `strongroom upgrade` ends in."""
    settings = Settings(database=backend.deployment.url, root_key=backend.deployment.root_key)
    try:
        opened = open_upgrade(settings, Attribution())
    except StrongroomError as error:
        return str(error.code)
    try:
        if not opened.upgrade.finished:
            for _ in opened.upgrade.run():
                pass
            opened.upgrade.finish()
    finally:
        opened.vault_context.close()
    return "upgraded"


def test_an_upgrade_blesses_nothing_whose_tags_were_taken_away(backend: MatrixBackend) -> None:
    revoked = backend["revoked"].wallet.id
    revived: list[Statement] = [(sql, (str(revoked),)) for sql in _REVIVED]
    with backend.open() as vault:
        for what, statement in LOOKS_OLDER.items():
            try:
                backend.tamper([(statement, ()), *revived])
            except KEPT_OUT:  # a CHECK: the head carries a tag
                assert what == "a head without a tag"
                assert not backend.sqlite
                continue
            try:
                assert upgrade(backend) != "upgraded", what
                with pytest.raises(StrongroomError):
                    vault.sign_message(revoked, MESSAGE)
                with pytest.raises(StrongroomError):
                    backend.open()
            finally:
                backend.restore()
