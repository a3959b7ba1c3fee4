"""What somebody does to rows who writes to the database, and how each of it has to end.

``ends`` names the answers that are not ``SAME``, by the wallet. What is not promised to be seen stands here, too, with
what the verbs say instead; docs/limitations.md and docs/threat-model.md tell of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.attacks.tampering.tampered_database import IMPORTED, OTHER, SAME, VERBS, Statements, TamperedDatabase

Answers = Mapping[str, str]
Change = Callable[[TamperedDatabase], Statements]

TEXT = "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?"
_RECORD = "UPDATE credential_vault_storage SET credential_id = ? WHERE credential_id = ?"
_SLOT = "UPDATE strongroom_slot SET credential_id = ? WHERE credential_id = ?"
_REQUEST = "UPDATE strongroom_idempotency SET request = ? WHERE credential_id = ?"
_NOBODY = "00000000-0000-4000-8000-000000000000"
OURS = ("sqlite", "fresh")
"""Backends whose tables strongroom made."""
THEIRS = ("g4",)


@dataclass(frozen=True)
class Tampering:
    """One way to change rows behind the vault's back."""

    kind: str
    """Where the fault falls, in the table."""
    what: str
    do: Change
    ends: Mapping[str, Answers] = field(default_factory=dict)
    columns: frozenset[str] | Mapping[str, frozenset[str]] = frozenset()
    """What every IdentityMismatchError names, or that of each wallet."""
    opens: str = SAME
    """What opening the vault ends in."""
    backends: tuple[str, ...] = (*OURS, *THEIRS)

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


def _opened(code: str, **others: str) -> Answers:
    """Every verb that opens the key ends so; those that open none return the same wallet."""
    return {"verify": code, "reveal": code, "sign": code, **others}


def _refused(*names: str) -> dict[str, Answers]:
    """The rows are not what the register says: no verb returns the wallet."""
    refused = dict.fromkeys(VERBS, "identity-mismatch")
    return {name: {**refused, "repeat": SAME} if name in IMPORTED else refused for name in names}


def _differs(*names: str) -> dict[str, Answers]:
    return {name: _opened("identity-mismatch") for name in names}


def _texts(tampered: TamperedDatabase, **texts: str) -> Statements:
    return [(TEXT, (text, tampered[name].id)) for name, text in texts.items()]


def _exchanged(one: str, other: str) -> Change:
    return lambda tampered: _texts(tampered, **{one: tampered.text(other), other: tampered.text(one)})


def _records_exchanged(tampered: TamperedDatabase) -> Statements:
    one, other = tampered["one"].id, tampered["hot"].id
    return [(_RECORD, pair) for pair in ((_NOBODY, one), (one, other), (other, _NOBODY))]


def _halves_exchanged(tampered: TamperedDatabase) -> Statements:
    """Both halves of two wallets, so that text and public half go together: the ids are all that is left."""
    columns = ("wallet_address", "public_key", "metadata")
    pairs = [(column, *pair) for column in columns for pair in (("one", "hot"), ("hot", "one"))]
    kept = "(SELECT x.{0} FROM {1}project_credentials x WHERE x.id = ?)"
    public = [
        (f"UPDATE project_credentials SET {column} = {kept.format(column, tampered.kept)} WHERE id = ?", ids)
        for column, source, target in pairs
        for ids in ((tampered[source].id, tampered[target].id),)
    ]
    return [*_exchanged("one", "hot")(tampered), *public]


def _set(column: str, value: object, *names: str, table: str = "project_credentials") -> Change:
    key = "id" if table == "project_credentials" else "credential_id"
    return lambda tampered: [
        (f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (value, tampered[name].id)) for name in names
    ]


def _copied(column: str, source: str, *targets: str) -> Change:
    found = f"(SELECT x.{column} FROM project_credentials x WHERE x.id = ?)"
    sql = f"UPDATE project_credentials SET {column} = {found} WHERE id = ?"
    return lambda tampered: [(sql, (tampered[source].id, tampered[target].id)) for target in targets]


def both(*changes: Change) -> Change:
    return lambda tampered: [statement for change in changes for statement in change(tampered)]


def _gone(table: str, name: str = "one") -> Change:
    key = "id" if table == "project_credentials" else "credential_id"
    return lambda tampered: [(f"DELETE FROM {table} WHERE {key} = ?", (tampered[name].id,))]


_WHOLE = both(
    *map(
        _gone,
        (
            "credential_usage_logs",
            "credential_vault_storage",
            "strongroom_wallet",
            "strongroom_slot",
            "strongroom_idempotency",
            "strongroom_vault_history",
            "project_credentials",
        ),
    )
)
_NOT_THERE = dict.fromkeys(("verify", "reveal", "sign", "get"), "wallet-not-found")
_BLANK = _set("metadata", "{}", "one", "taproot", "solana")
_PUBLIC_KEYS = _copied("public_key", "hot", "one", "taproot", "solana")

SWAPPED = (
    Tampering(
        "swapped",
        "texts of one project",
        _exchanged("one", "hot"),
        _differs("one", "hot"),
        frozenset({"credential_id", "wallet_address"}),
    ),
    Tampering(
        "swapped",
        "texts of one address on two networks",
        _exchanged("hot", "base"),
        _differs("hot", "base"),
        frozenset({"credential_id", "network"}),
    ),
    Tampering(
        "swapped",
        "texts of two projects",
        _exchanged("one", "other"),
        _differs("one", "other"),
        frozenset({"project_id", "credential_id", "wallet_address"}),
    ),
    Tampering(
        "swapped",
        "texts of two curves",
        _exchanged("taproot", "solana"),
        _differs("taproot", "solana"),
        frozenset({"credential_id", "network", "wallet_address"}),
    ),
    Tampering(
        "swapped",
        "vault records",
        _records_exchanged,
        _differs("one", "hot"),
        frozenset({"credential_id", "wallet_address"}),
    ),
    Tampering(
        "swapped",
        "public halves and texts together",
        _halves_exchanged,
        _refused("one", "hot"),
        frozenset({"wallet_address", "public_key", "metadata"}),
        backends=OURS,
    ),
    Tampering(
        "swapped",
        "public halves and texts together, whose public key and missing path say nothing",
        _halves_exchanged,
        _refused("one", "hot"),
        {"one": frozenset({"wallet_address"}), "hot": frozenset({"wallet_address", "metadata"})},
        backends=THEIRS,
    ),
    Tampering(
        "swapped",
        "one text in two rows",
        lambda tampered: _texts(tampered, one=tampered.text("hot")),
        _differs("one"),
        frozenset({"credential_id", "wallet_address"}),
    ),
    Tampering(
        "swapped",
        "a text of the history of another wallet",
        lambda tampered: _texts(tampered, one=tampered.older["hot"]),
        _differs("one"),
        frozenset({"credential_id", "wallet_address"}),
    ),
)

UNSEEN = (
    Tampering(
        "rolled back", "to the text before the sealing key changed", lambda tampered: _texts(tampered, **tampered.older)
    ),
    Tampering("removed", "a whole wallet", _WHOLE, {"one": {**_NOT_THERE, "create": OTHER, "repeat": OTHER}}),
    Tampering("removed", "the usage log", _gone("credential_usage_logs")),
    Tampering("removed", "the history", _gone("strongroom_vault_history")),
    Tampering("removed", "an idempotency key", _gone("strongroom_idempotency")),
    Tampering("removed", "a slot alongside legacy rows", _gone("strongroom_slot"), backends=THEIRS),
    Tampering(
        "public half",
        "scheme and public key alongside legacy rows",
        both(_BLANK, _PUBLIC_KEYS),
        backends=THEIRS,  # what the register says is returned
    ),
)
"""What is not promised to be seen, and is not seen."""

REMOVED = (
    Tampering(
        "removed",
        "a vault record",
        _gone("credential_vault_storage"),
        {"one": _opened("key-missing", create="key-missing", repeat="key-missing")},
    ),
    Tampering(
        "removed",
        "a credential",
        _gone("project_credentials"),
        {"one": {**_NOT_THERE, "create": "key-missing", "repeat": "key-missing"}},
    ),
    Tampering("removed", "a slot", _gone("strongroom_slot"), {"one": {"create": "store-refused"}}, backends=OURS),
)

_LOWER = "UPDATE project_credentials SET wallet_address = lower(wallet_address) WHERE id = ?"

CHANGED = (
    Tampering(
        "public half",
        "the address in lower case",
        lambda tampered: [(_LOWER, (tampered["one"].id,))],
        _refused("one"),
        frozenset({"wallet_address"}),
        backends=OURS,
    ),
    Tampering(
        "public half",
        "the address in lower case, as the legacy application may write it",
        lambda tampered: [(_LOWER, (tampered["one"].id,))],
        backends=THEIRS,
    ),
    Tampering(
        "public half",
        "the address of another wallet",
        _copied("wallet_address", "hot", "one"),
        _refused("one"),
        frozenset({"wallet_address"}),
    ),
    Tampering(
        "public half",
        "the project",
        _copied("project_id", "other", "base"),
        _refused("base"),
        frozenset({"project_id"}),
    ),
    Tampering(
        "public half",
        "the public key",
        _PUBLIC_KEYS,
        _refused("one", "taproot", "solana"),
        frozenset({"public_key"}),
        backends=OURS,
    ),
    Tampering(
        "public half", "the public key, where the legacy application leaves it empty", _PUBLIC_KEYS, backends=THEIRS
    ),
    Tampering(
        "public half",
        "scheme and public key, which says nothing any more",
        both(_BLANK, _PUBLIC_KEYS),
        _refused("one", "taproot", "solana"),
        frozenset({"public_key", "metadata"}),
        backends=OURS,
    ),
    *(
        Tampering(
            "public half",
            what,
            _set("network", network, "one"),
            _refused("one"),
            frozenset({"network"}),
            backends=OURS,
        )
        for what, network in (
            ("the network", "base"),
            ("the network of another curve", "bitcoin"),
            ("a network that nobody knows", "nowhere"),
        )
    ),
    Tampering("public half", "the network, which is a hint", _set("network", "bitcoin", "one"), backends=THEIRS),
    Tampering(
        "public half",
        "the label",
        _set("credential_type", "ethereum_wallet:cold", "one"),
        _refused("one"),
        frozenset({"credential_type"}),
        backends=OURS,
    ),
    Tampering(
        "public half",
        "the label, which is the legacy application's",
        _set("credential_type", "ethereum_wallet:cold", "one"),
        backends=THEIRS,
    ),
    Tampering(
        "public half",
        "the scheme",
        _set("metadata", '{"scheme": "bip84", "path": null}', "one", "taproot", "solana"),
        _refused("one", "taproot", "solana"),
        frozenset({"metadata"}),
    ),
    Tampering(
        "public half",
        "the path",
        _set("metadata", '{"scheme": "bip44", "path": "m/0"}', "one"),
        _refused("one"),
        frozenset({"metadata"}),
    ),
    Tampering(
        "public half",
        "no metadata",
        _BLANK,
        _refused("one", "taproot", "solana"),
        frozenset({"metadata"}),
        backends=OURS,
    ),
    Tampering("public half", "no metadata, which hides no key", _BLANK, backends=THEIRS),
    *(
        Tampering(
            "state",
            what,
            _set(column, value, "one", table=table),
            _refused("one"),
            frozenset({column}),
            backends=OURS,
        )
        for what, column, value, table in (
            ("replaced", "status", "replaced", "project_credentials"),
            ("revoked", "status", "revoked", "project_credentials"),
            ("not active", "is_active", False, "project_credentials"),
            ("the access level", "access_level", "revoked", "credential_vault_storage"),
            ("the vault id", "key_vault_id", "x", "project_credentials"),
        )
    ),
    Tampering(
        "state",
        "replaced, as the legacy application may retire",
        _set("status", "replaced", "one"),
        {"one": {"sign": "wallet-revoked"}},
        backends=THEIRS,
    ),
    *(
        Tampering(
            "state",
            f"{what}, as the legacy application may retire",
            _set(column, value, "one"),
            {"one": dict.fromkeys(("sign", "create", "repeat"), "wallet-revoked")},
            backends=THEIRS,
        )
        for what, column, value in (("revoked", "status", "revoked"), ("not active", "is_active", False))
    ),
    Tampering(
        "state",
        "the access level, as the legacy application may lower it",
        _set("access_level", "revoked", "one", table="credential_vault_storage"),
        {"one": {"sign": "signature-refused"}},
        backends=THEIRS,
    ),
    Tampering(
        "state",
        "both vault ids, which are the legacy application's",
        both(_set("key_vault_id", "x", "one"), _set("vault_id", "y", "one", table="credential_vault_storage")),
        backends=THEIRS,
    ),
    Tampering("state", "the method", _set("encryption_method", "AES-256-CBC", "one", table="credential_vault_storage")),
)

POINTED = (
    Tampering(
        "slot",
        "of another label",
        lambda tampered: [(_SLOT, (tampered["hot"].id, tampered["one"].id))],
        {"one": {"create": "identity-mismatch"}},
        backends=OURS,
    ),
    Tampering(
        "slot",
        "of another network",
        lambda tampered: [(_SLOT, (tampered["solana"].id, tampered["one"].id))],
        {"one": {"create": "identity-mismatch"}},
        backends=OURS,
    ),
    Tampering(
        "slot",
        "of another project",
        lambda tampered: [(_SLOT, (tampered["other"].id, tampered["one"].id))],
        {"one": {"create": "identity-mismatch"}},
    ),
    Tampering(
        "slot",
        "of nobody",
        lambda tampered: [(_SLOT, (_NOBODY, tampered["one"].id))],
        {"one": {"create": "key-missing"}},
    ),
    Tampering(
        "slot",
        "under another label",
        lambda tampered: [("UPDATE strongroom_slot SET label = 'cold' WHERE credential_id = ?", (tampered["one"].id,))],
        {"one": {"create": "store-refused"}},
        backends=OURS,
    ),
    Tampering(
        "idempotency key",
        "of another request",
        lambda tampered: [(_REQUEST, ('{"operation":"create","words":"24"}', tampered["one"].id))],
        {"one": {"repeat": "identity-mismatch"}},
    ),
    Tampering(
        "idempotency key",
        "of a request that cannot be read",
        lambda tampered: [(_REQUEST, ('["', tampered["one"].id))],
        {"one": {"repeat": "identity-mismatch"}},
    ),
    Tampering(
        "idempotency key",
        "of another wallet",
        lambda tampered: [
            (
                "UPDATE strongroom_idempotency SET credential_id = ? WHERE credential_id = ?",
                (tampered["hot"].id, tampered["one"].id),
            )
        ],
        {"one": {"repeat": "identity-mismatch"}},
    ),
    Tampering(
        "idempotency key",
        "of nobody",
        lambda tampered: [
            (
                "UPDATE strongroom_idempotency SET credential_id = ? WHERE credential_id = ?",
                (_NOBODY, tampered["one"].id),
            )
        ],
        {"one": {"repeat": "identity-mismatch"}},
    ),
    Tampering(
        "migrations",
        "a later version",
        lambda tampered: [("UPDATE strongroom_migrations SET version_num = '9999'", ())],
        opens="schema-version",
    ),
    Tampering(
        "migrations",
        "an earlier version",
        lambda tampered: [("UPDATE strongroom_migrations SET version_num = '0001'", ())],
        opens="upgrade-needed",
    ),
    Tampering(
        "migrations", "none", lambda tampered: [("DELETE FROM strongroom_migrations", ())], opens="tables-missing"
    ),
)

CASES = (*SWAPPED, *UNSEEN, *REMOVED, *CHANGED, *POINTED)
