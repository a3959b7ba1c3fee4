"""What somebody does to rows who writes to the database, and how each of it has to end.

``ends`` names the answers that are not ``SAME``, by the wallet. What is not promised to be seen stands here, too, with
what the verbs say instead; docs/limitations.md and docs/threat-model.md tell of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.attacks.tampering.bed import IMPORTED, OTHER, SAME, VERBS, Bed, Statements

Answers = Mapping[str, str]
Change = Callable[[Bed], Statements]

TEXT = "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?"
_RECORD = "UPDATE credential_vault_storage SET credential_id = ? WHERE credential_id = ?"
_SLOT = "UPDATE strongroom_slot SET credential_id = ? WHERE credential_id = ?"
_REQUEST = "UPDATE strongroom_idempotency SET request = ? WHERE credential_id = ?"
_NOBODY = "00000000-0000-4000-8000-000000000000"
OURS = ("sqlite", "fresh")
"""Grounds whose tables strongroom made."""
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
    grounds: tuple[str, ...] = (*OURS, *THEIRS)

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


def _texts(bed: Bed, **texts: str) -> Statements:
    return [(TEXT, (text, bed[name].id)) for name, text in texts.items()]


def _exchanged(one: str, other: str) -> Change:
    return lambda bed: _texts(bed, **{one: bed.text(other), other: bed.text(one)})


def _records_exchanged(bed: Bed) -> Statements:
    one, other = bed["one"].id, bed["hot"].id
    return [(_RECORD, pair) for pair in ((_NOBODY, one), (one, other), (other, _NOBODY))]


def _halves_exchanged(bed: Bed) -> Statements:
    """Both halves of two wallets, so that text and public half go together: the ids are all that is left."""
    columns = ("wallet_address", "public_key", "metadata")
    pairs = [(column, *pair) for column in columns for pair in (("one", "hot"), ("hot", "one"))]
    kept = "(SELECT x.{0} FROM {1}project_credentials x WHERE x.id = ?)"
    public = [
        (f"UPDATE project_credentials SET {column} = {kept.format(column, bed.kept)} WHERE id = ?", ids)
        for column, source, target in pairs
        for ids in ((bed[source].id, bed[target].id),)
    ]
    return [*_exchanged("one", "hot")(bed), *public]


def _set(column: str, value: object, *names: str, table: str = "project_credentials") -> Change:
    key = "id" if table == "project_credentials" else "credential_id"
    return lambda bed: [(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (value, bed[name].id)) for name in names]


def _copied(column: str, source: str, *targets: str) -> Change:
    found = f"(SELECT x.{column} FROM project_credentials x WHERE x.id = ?)"
    sql = f"UPDATE project_credentials SET {column} = {found} WHERE id = ?"
    return lambda bed: [(sql, (bed[source].id, bed[target].id)) for target in targets]


def _both(*changes: Change) -> Change:
    return lambda bed: [statement for change in changes for statement in change(bed)]


def _gone(table: str, name: str = "one") -> Change:
    key = "id" if table == "project_credentials" else "credential_id"
    return lambda bed: [(f"DELETE FROM {table} WHERE {key} = ?", (bed[name].id,))]


_WHOLE = _both(
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
        grounds=OURS,
    ),
    Tampering(
        "swapped",
        "public halves and texts together, whose public key and missing path say nothing",
        _halves_exchanged,
        _refused("one", "hot"),
        {"one": frozenset({"wallet_address"}), "hot": frozenset({"wallet_address", "metadata"})},
        grounds=THEIRS,
    ),
    Tampering(
        "swapped",
        "one text in two rows",
        lambda bed: _texts(bed, one=bed.text("hot")),
        _differs("one"),
        frozenset({"credential_id", "wallet_address"}),
    ),
    Tampering(
        "swapped",
        "a text of the history of another wallet",
        lambda bed: _texts(bed, one=bed.older["hot"]),
        _differs("one"),
        frozenset({"credential_id", "wallet_address"}),
    ),
)

UNSEEN = (
    Tampering("rolled back", "to the text before the sealing key changed", lambda bed: _texts(bed, **bed.older)),
    Tampering("removed", "a whole wallet", _WHOLE, {"one": {**_NOT_THERE, "create": OTHER, "repeat": OTHER}}),
    Tampering("removed", "the usage log", _gone("credential_usage_logs")),
    Tampering("removed", "the history", _gone("strongroom_vault_history")),
    Tampering("removed", "an idempotency key", _gone("strongroom_idempotency")),
    Tampering("removed", "a slot beside other code's rows", _gone("strongroom_slot"), grounds=THEIRS),
    Tampering(
        "public half",
        "scheme and public key beside other code's rows",
        _both(_BLANK, _PUBLIC_KEYS),
        grounds=THEIRS,  # what the register says is returned
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
    Tampering("removed", "a slot", _gone("strongroom_slot"), {"one": {"create": "store-refused"}}, grounds=OURS),
)

_LOWER = "UPDATE project_credentials SET wallet_address = lower(wallet_address) WHERE id = ?"

CHANGED = (
    Tampering(
        "public half",
        "the address in lower case",
        lambda bed: [(_LOWER, (bed["one"].id,))],
        _refused("one"),
        frozenset({"wallet_address"}),
        grounds=OURS,
    ),
    Tampering(
        "public half",
        "the address in lower case, as other code may write it",
        lambda bed: [(_LOWER, (bed["one"].id,))],
        grounds=THEIRS,
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
        grounds=OURS,
    ),
    Tampering("public half", "the public key, where other code leaves it empty", _PUBLIC_KEYS, grounds=THEIRS),
    Tampering(
        "public half",
        "scheme and public key, which says nothing any more",
        _both(_BLANK, _PUBLIC_KEYS),
        _refused("one", "taproot", "solana"),
        frozenset({"public_key", "metadata"}),
        grounds=OURS,
    ),
    *(
        Tampering(
            "public half",
            what,
            _set("network", network, "one"),
            _refused("one"),
            frozenset({"network"}),
            grounds=OURS,
        )
        for what, network in (
            ("the network", "base"),
            ("the network of another curve", "bitcoin"),
            ("a network that nobody knows", "nowhere"),
        )
    ),
    Tampering("public half", "the network, which is a hint", _set("network", "bitcoin", "one"), grounds=THEIRS),
    Tampering(
        "public half",
        "the label",
        _set("credential_type", "ethereum_wallet:cold", "one"),
        _refused("one"),
        frozenset({"credential_type"}),
        grounds=OURS,
    ),
    Tampering(
        "public half",
        "the label, which is other code's",
        _set("credential_type", "ethereum_wallet:cold", "one"),
        grounds=THEIRS,
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
        grounds=OURS,
    ),
    Tampering("public half", "no metadata, which hides no key", _BLANK, grounds=THEIRS),
    *(
        Tampering(
            "state",
            what,
            _set(column, value, "one", table=table),
            _refused("one"),
            frozenset({column}),
            grounds=OURS,
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
        "replaced, as other code may retire",
        _set("status", "replaced", "one"),
        {"one": {"sign": "wallet-revoked"}},
        grounds=THEIRS,
    ),
    *(
        Tampering(
            "state",
            f"{what}, as other code may retire",
            _set(column, value, "one"),
            {"one": dict.fromkeys(("sign", "create", "repeat"), "wallet-revoked")},
            grounds=THEIRS,
        )
        for what, column, value in (("revoked", "status", "revoked"), ("not active", "is_active", False))
    ),
    Tampering(
        "state",
        "the access level, as other code may lower it",
        _set("access_level", "revoked", "one", table="credential_vault_storage"),
        {"one": {"sign": "signature-refused"}},
        grounds=THEIRS,
    ),
    Tampering(
        "state",
        "both vault ids, which are other code's",
        _both(_set("key_vault_id", "x", "one"), _set("vault_id", "y", "one", table="credential_vault_storage")),
        grounds=THEIRS,
    ),
    Tampering("state", "the method", _set("encryption_method", "AES-256-CBC", "one", table="credential_vault_storage")),
)

POINTED = (
    Tampering(
        "slot",
        "of another label",
        lambda bed: [(_SLOT, (bed["hot"].id, bed["one"].id))],
        {"one": {"create": "identity-mismatch"}},
        grounds=OURS,
    ),
    Tampering(
        "slot",
        "of another network",
        lambda bed: [(_SLOT, (bed["solana"].id, bed["one"].id))],
        {"one": {"create": "identity-mismatch"}},
        grounds=OURS,
    ),
    Tampering(
        "slot",
        "of another project",
        lambda bed: [(_SLOT, (bed["other"].id, bed["one"].id))],
        {"one": {"create": "identity-mismatch"}},
    ),
    Tampering("slot", "of nobody", lambda bed: [(_SLOT, (_NOBODY, bed["one"].id))], {"one": {"create": "key-missing"}}),
    Tampering(
        "slot",
        "under another label",
        lambda bed: [("UPDATE strongroom_slot SET label = 'cold' WHERE credential_id = ?", (bed["one"].id,))],
        {"one": {"create": "store-refused"}},
        grounds=OURS,
    ),
    Tampering(
        "idempotency key",
        "of another request",
        lambda bed: [(_REQUEST, ('{"operation":"create","words":"24"}', bed["one"].id))],
        {"one": {"repeat": "identity-mismatch"}},
    ),
    Tampering(
        "idempotency key",
        "of a request that cannot be read",
        lambda bed: [(_REQUEST, ('["', bed["one"].id))],
        {"one": {"repeat": "identity-mismatch"}},
    ),
    Tampering(
        "idempotency key",
        "of another wallet",
        lambda bed: [
            (
                "UPDATE strongroom_idempotency SET credential_id = ? WHERE credential_id = ?",
                (bed["hot"].id, bed["one"].id),
            )
        ],
        {"one": {"repeat": "identity-mismatch"}},
    ),
    Tampering(
        "idempotency key",
        "of nobody",
        lambda bed: [
            ("UPDATE strongroom_idempotency SET credential_id = ? WHERE credential_id = ?", (_NOBODY, bed["one"].id))
        ],
        {"one": {"repeat": "identity-mismatch"}},
    ),
    Tampering(
        "migrations",
        "a later version",
        lambda bed: [("UPDATE strongroom_migrations SET version_num = '9999'", ())],
        opens="schema-version",
    ),
    Tampering(
        "migrations",
        "an earlier version",
        lambda bed: [("UPDATE strongroom_migrations SET version_num = '0001'", ())],
        opens="upgrade-needed",
    ),
    Tampering("migrations", "none", lambda bed: [("DELETE FROM strongroom_migrations", ())], opens="foreign-schema"),
)

CASES = (*SWAPPED, *UNSEEN, *REMOVED, *CHANGED, *POINTED)
