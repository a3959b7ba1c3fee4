"""What somebody does to the keyring's rows who writes to the database, and what opening the vault then ends in."""

from __future__ import annotations

import base64
from pathlib import Path
from uuid import uuid4

import strongroom
from strongroom.rootkeys.file import FileRootKey
from testbed.databases.rows import execute
from tests.attacks.tampering.cases import Change, Tampering, both
from tests.attacks.tampering.tampered_database import SAME, Statements, TamperedDatabase

_ACTIVE = "(SELECT kid FROM strongroom_keyring WHERE state = 'active')"
_WRAP = "UPDATE strongroom_keyring_wrap SET {0} WHERE kid {1} " + _ACTIVE
_INSERT_KEY = "INSERT INTO strongroom_keyring (kid, state, created_at) VALUES (?, ?, ?)"
_INSERT_WRAP = (
    "INSERT INTO strongroom_keyring_wrap (kid, root_key, wrapped, check_value, created_at) VALUES (?, ?, ?, ?, ?)"
)
_TABLES = ("strongroom_keyring_wrap", "strongroom_keyring", "strongroom_keyring_head")
_OTHER_CHARACTER = "replace(substr(wrapped, 200, 1), substr(wrapped, 200, 1), '{0}')"


def _sql(*statements: str) -> Change:
    return lambda _: [(sql, ()) for sql in statements]


def _damaged(which: str) -> str:
    """One character of wraps becomes another: of the active sealing key, or of the others."""
    character = "CASE WHEN substr(wrapped, 200, 1) = 'A' THEN 'B' ELSE 'A' END"
    return _WRAP.format(f"wrapped = substr(wrapped, 1, 199) || {character} || substr(wrapped, 201)", which)


def _other_check(which: str) -> str:
    return _WRAP.format("check_value = 'AAAAAAAAAAAAAAAAAAAAAA'", which)


def _renamed(tampered: TamperedDatabase) -> Statements:
    kid = base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
    return [
        (_WRAP.format("kid = ?", "="), (kid,)),
        ("UPDATE strongroom_keyring SET kid = ? WHERE state = 'active'", (kid,)),
    ]


def _exchanged(_: TamperedDatabase) -> Statements:
    other = "(SELECT x.wrapped FROM {}strongroom_keyring_wrap x WHERE x.kid <> strongroom_keyring_wrap.kid)"
    return [(f"UPDATE strongroom_keyring_wrap SET wrapped = {other.format(_.kept)}", ())]


def _of_another_vault(root_key: str | None) -> Change:
    """The whole keyring of another database; with the same root key, or with one of its own."""

    def change(tampered: TamperedDatabase) -> Statements:
        keys, wraps = _made(tampered, root_key)
        cleared = [(f"DELETE FROM {table}", ()) for table in _TABLES[:2]]
        return [*cleared, *((_INSERT_KEY, key) for key in keys), *((_INSERT_WRAP, wrap) for wrap in wraps)]

    return change


def _wrap_added(tampered: TamperedDatabase) -> Statements:
    """Another root key's wrap of another sealing key, under the name of ours."""
    _, ((_, uri, wrapped, check, created),) = _made(tampered, None)
    ((kid,),) = tampered.deployment.execute(f"SELECT kid FROM strongroom_keyring WHERE kid = {_ACTIVE}")
    return [(_INSERT_WRAP, (kid, uri, wrapped, check, created))]


def _wraps_replaced(tampered: TamperedDatabase) -> Statements:
    """Another root key's wraps stand where ours stood."""
    _, ((_, uri, wrapped, check, _created),) = _made(tampered, None)
    return [("UPDATE strongroom_keyring_wrap SET root_key = ?, wrapped = ?, check_value = ?", (uri, wrapped, check))]


def _made(
    tampered: TamperedDatabase, root_key: str | None
) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    folder = Path(tampered.deployment.root_key.removeprefix("file:")).parent / uuid4().hex
    folder.mkdir(mode=0o700)
    own = f"file:{folder / 'root.key'}"
    if root_key is None:
        FileRootKey(own).create()
    url = f"sqlite:///{folder / 'other.db'}"
    strongroom.init(url, root_key=own if root_key is None else tampered.deployment.root_key).close()
    keys = execute(url, "SELECT kid, state, created_at FROM strongroom_keyring")
    return keys, execute(url, "SELECT kid, root_key, wrapped, check_value, created_at FROM strongroom_keyring_wrap")


def _rolled_back(tampered: TamperedDatabase) -> Statements:
    text = "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?"
    return [(text, (older, tampered[name].id)) for name, older in tampered.older.items()]


_RETIRED_GONE = _sql(
    f"DELETE FROM strongroom_keyring_wrap WHERE kid <> {_ACTIVE}",
    "DELETE FROM strongroom_keyring WHERE state <> 'active'",
)


def _case(kind: str, what: str, do: Change, opens: str = SAME) -> Tampering:
    return Tampering(kind, what, do, opens=opens)


KEYRING = (
    _case(
        "keyring row removed",
        "the wrap of the active key",
        _sql(f"DELETE FROM strongroom_keyring_wrap WHERE kid = {_ACTIVE}"),
        "keyring-corrupt",
    ),
    _case(
        "keyring row removed",
        "the wrap of an older key",
        _sql(f"DELETE FROM strongroom_keyring_wrap WHERE kid <> {_ACTIVE}"),
        "keyring-corrupt",
    ),
    _case("keyring row removed", "every wrap", _sql("DELETE FROM strongroom_keyring_wrap"), "keyring-corrupt"),
    _case(
        "keyring row removed",
        "the active key",
        _sql(
            f"DELETE FROM strongroom_keyring_wrap WHERE kid = {_ACTIVE}",
            "DELETE FROM strongroom_keyring WHERE state = 'active'",
        ),
        "keyring-corrupt",
    ),
    _case(
        "keyring row removed", "every key", _sql(*(f"DELETE FROM {table}" for table in _TABLES[:2])), "keyring-missing"
    ),
    _case("keyring row removed", "all of it", _sql(*(f"DELETE FROM {table}" for table in _TABLES)), "keyring-missing"),
    _case("keyring row removed", "its head", _sql("DELETE FROM strongroom_keyring_head"), "keyring-corrupt"),
    _case("keyring row removed", "a key that sealed nothing that is left", _RETIRED_GONE, "keyring-corrupt"),
    _case(
        "keyring row removed",
        "the key that sealed every row",
        both(_RETIRED_GONE, _rolled_back),
        "keyring-corrupt",
    ),
    _case("keyring row changed", "a bit of the active wrap", _sql(_damaged("=")), "keyring-corrupt"),
    _case("keyring row changed", "a bit of an older wrap", _sql(_damaged("<>")), "keyring-corrupt"),
    _case("keyring row changed", "check values", _sql(_other_check("="), _other_check("<>"))),
    _case(
        "keyring row changed", "a wrap and its check value", _sql(_damaged("="), _other_check("=")), "keyring-corrupt"
    ),
    _case(
        "keyring row changed",
        "every wrap and check value",
        _sql(_damaged("="), _other_check("="), _damaged("<>"), _other_check("<>")),
        "root-key-mismatch",
    ),
    _case(
        "keyring row changed",
        "root key URIs",
        _sql("UPDATE strongroom_keyring_wrap SET root_key = 'file:elsewhere'"),
        "keyring-corrupt",
    ),
    _case("keyring row changed", "the kid", _renamed, "keyring-corrupt"),
    _case(
        "keyring row changed",
        "none is active",
        _sql("UPDATE strongroom_keyring SET state = 'opening'"),
        "keyring-corrupt",
    ),
    _case(
        "keyring row changed",
        "an older key is active",
        _sql(
            "UPDATE strongroom_keyring SET state = 'opening' WHERE state = 'active'",
            "UPDATE strongroom_keyring SET state = 'active' WHERE state = 'retired'",
        ),
        "keyring-corrupt",
    ),
    _case(
        "keyring row changed",
        "its version",
        _sql("UPDATE strongroom_keyring_head SET version = 99, tagged_version = 99"),
        "keyring-corrupt",
    ),
    _case("keyring rows exchanged", "two wraps", _exchanged, "keyring-corrupt"),
    _case("keyring replaced", "by that of another root key", _of_another_vault(None), "root-key-mismatch"),
    _case("keyring replaced", "by another one of the same root key", _of_another_vault("same"), "keyring-corrupt"),
    _case("keyring replaced", "wraps by those of another root key", _wraps_replaced, "root-key-mismatch"),
    _case("keyring row added", "a wrap of another root key", _wrap_added),
)
