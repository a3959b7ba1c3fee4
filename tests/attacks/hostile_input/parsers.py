"""The table of everything that reads what others wrote: one line a parser, with valid examples to start from.

A parser gives a value or one of its refusals, nothing else; no error of it says anything that it was given.
"""

from __future__ import annotations

import atexit
import base64
import hashlib
import json
import os
import secrets as secrets_module
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from eth_keyfile.keyfile import create_keyfile_json
from hypothesis import strategies as st
from nacl.secret import SecretBox
from nacl.signing import SigningKey

from strongroom.cli import repair as repair_command
from strongroom.cli.failures import CommandLineError
from strongroom.crypto import keyring
from strongroom.crypto.phrase import Phrase
from strongroom.crypto.wraps import unwrap_one, wrap_one
from strongroom.database_url import has_password, without_password
from strongroom.errors import InvalidAddressError, StrongroomError
from strongroom.networks import TABLE
from strongroom.networks.curves import paths
from strongroom.networks.curves.extended_key import ExtendedKey
from strongroom.ports.network import KeystoreNetwork
from strongroom.records import identifiers
from strongroom.records.keyring import KeyringRows, WrappedKey
from strongroom.records.requests import Request
from strongroom.records.usage_log import Attribution
from strongroom.rootkeys import local, open_root_key, passphrase_source
from strongroom.secret import Secret
from strongroom.settings import ENVIRONMENT, Settings
from strongroom.store.connection import engine as engines
from strongroom.store.connection.urls import parse_url
from strongroom.store.statements import rows
from strongroom.takeover.doctor import key_texts
from strongroom.takeover.repair import plan as plans
from strongroom.takeover.repair.actions import ORDER, Action
from strongroom.usecases.addresses import address_table
from testbed.networks.known import fitting
from testbed.sealing import samples
from tests.attacks.hostile_input.strategies import (
    ANY_TEXT,
    ANYTHING,
    KEY,
    KEY_TEXTS,
    PASSWORD,
    PHRASE,
    SECRETS,
    WORDS,
    as_json,
    mutated,
    mutated_document,
)

Read = Callable[[Any], object]
PROJECT = "6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11"


@dataclass(frozen=True)
class Parser:
    """Something that reads what others wrote."""

    name: str
    read: Read
    valid: Sequence[Any]
    """What it takes; mutations start from these."""
    given: st.SearchStrategy[Any]
    refusals: tuple[type[Exception], ...] = (StrongroomError,)
    wrapped: bool = False
    """Takes secrets as such: then they are in no local variable of its frames either."""
    says_names: bool = False
    """Says names of files, variables or fields in its errors; the known secrets are searched for all the same."""

    def __str__(self) -> str:
        return self.name


def texts(name: str, read: Read, *valid: str, **more: Any) -> Parser:
    """A parser of text."""
    return Parser(name, read, valid, mutated(st.sampled_from(valid)) | ANY_TEXT, **more)


def secrets(name: str, read: Callable[[Secret], object], *valid: str, **more: Any) -> Parser:
    """A parser of text that is a secret."""
    given = mutated(st.sampled_from(valid)) | mutated(SECRETS) | ANY_TEXT | st.binary(max_size=80)
    return Parser(name, lambda text: read(Secret.from_text(text)), valid, given, wrapped=True, **more)


def values(name: str, read: Read, *valid: Any, **more: Any) -> Parser:
    """A parser of values that may be of any type."""
    given = mutated(st.sampled_from([each for each in valid if isinstance(each, str)] or [""])) | ANYTHING
    return Parser(name, read, valid, given, **more)


def documents(name: str, read: Read, *valid: Any, **more: Any) -> Parser:
    """A parser of documents."""
    return Parser(name, read, valid, mutated_document(st.sampled_from(valid)) | ANYTHING, **more)


def json_texts(name: str, read: Read, *valid: Any, **more: Any) -> Parser:
    """A parser of documents as JSON text."""
    written = tuple(json.dumps(document) for document in valid)
    mutations = mutated_document(st.sampled_from(valid)).map(as_json)
    return Parser(name, read, written, mutations | mutated(st.sampled_from(written)) | ANY_TEXT, **more)


# --- networks ------------------------------------------------------------------------------------------------

FAMILIES: Mapping[str, Sequence[Any]] = {
    kind.__name__: [network for network in TABLE if type(network) is kind]
    for kind in dict.fromkeys(type(network) for network in TABLE)
}


def _by_each(networks: Sequence[Any], read: Callable[[Any, Any], object]) -> Read:
    """Read by a network of every address space of a family; refused where all of them refuse."""
    networks = tuple({network.address_space.name: network for network in reversed(networks)}.values())

    def read_by_each(given: Any) -> object:
        refusal: StrongroomError | None = None
        read_at_all = False
        for network in networks:
            try:
                read(network, given)
                read_at_all = True
            except StrongroomError as error:
                refusal = error
        try:
            if not read_at_all and refusal is not None:
                raise refusal
        finally:
            refusal = None  # else frame and error would keep each other, and what was given
        return networks

    return read_by_each


def _addresses(networks: Sequence[Any]) -> Iterator[str]:
    for network in networks:
        for variant in network.variants:
            scheme = network.scheme(variant)
            yield network.public_half(Secret(fitting(scheme, KEY)), scheme).address


def _recognised(text: str) -> object:
    matches = address_table(TABLE).matches(text)
    if not matches:
        raise InvalidAddressError("No network reads it.")
    return matches


_PATHS = {"Polkadot": "//polkadot//0", "Cardano": "m/1852h/1815H/0'/0/1"}
"""Where any path will not do."""
_SKEY = {
    "type": "PaymentSigningKeyShelley_ed25519",
    "description": "Payment Signing Key",
    "cborHex": "5820" + KEY.hex(),
}


def _read_skey(document: str) -> object:
    return TABLE.get("cardano").parse_private_key(Secret.from_text(document))


def _of_networks() -> Iterator[Parser]:
    for family, networks in FAMILIES.items():
        names = {network.name for network in networks}
        keys = {KEY.hex(), "0x" + KEY.hex()}
        keys |= {text for told, text in KEY_TEXTS.items() if told.removeprefix("text of ").split(",")[0] in names}
        yield texts(
            f"addresses of {family}",
            _by_each(networks, lambda network, text: network.parse_address(text)),
            *sorted(set(_addresses(networks))),
        )
        yield secrets(
            f"keys of {family}",
            _by_each(networks, lambda network, text: network.parse_private_key(text)),
            *sorted(keys),
        )
        yield texts(
            f"paths of {family}",
            _by_each(networks[-1:], lambda network, path: network.derive(PHRASE, network.scheme(None), path)),
            networks[-1].path(networks[-1].scheme(None), 1),
            _PATHS.get(family, "m/0h/1H/2'"),
        )
        yield texts(
            f"variants of {family}",
            _by_each(networks, lambda network, name: network.scheme(name)),
            *networks[0].variants,
        )
    yield texts("addresses of any network", _recognised, *sorted(set(_addresses(list(TABLE)))))


def _keystore(kdf: Literal["pbkdf2", "scrypt"], work: int) -> dict[str, Any]:
    """A keystore of another library, that costs next to nothing to open."""
    made: dict[str, Any] = create_keyfile_json(KEY, PASSWORD.encode(), kdf=kdf, iterations=work)
    return made


def _open_keystore(document: str, password: str = PASSWORD) -> object:
    network = TABLE.get("ethereum")
    assert isinstance(network, KeystoreNetwork)
    return network.open_keystore(Secret.from_text(document), Secret.from_text(password))


def _open_line(text: str | Secret, password: str | Secret) -> object:
    network = TABLE.get("tezos")
    assert isinstance(network, KeystoreNetwork)
    return network.open_keystore(Secret.from_text(text), Secret.from_text(password))


def _lines() -> tuple[str, ...]:
    network = TABLE.get("tezos")
    assert isinstance(network, KeystoreNetwork)
    key, password = Secret(KEY), Secret.from_text(PASSWORD)
    return tuple(network.make_keystore(key, password, network.scheme(each)) for each in network.variants)


_LINES = _lines()


@cache
def _polkadot_json() -> dict[str, Any]:
    """A document of the least work that polkadot-js accepts: a tenth of a second."""
    pair = bytes(SigningKey(KEY)) + bytes(SigningKey(KEY).verify_key)
    costs = b"".join(each.to_bytes(4, "little") for each in (32_768, 1, 8))
    stretched = hashlib.scrypt(PASSWORD.encode(), salt=KEY, n=32_768, r=8, p=1, maxmem=1 << 26, dklen=32)
    pkcs8 = bytes.fromhex("3053020101300506032b657004220420") + pair + bytes.fromhex("a123032100") + pair[32:]
    box = SecretBox(stretched).encrypt(pkcs8, KEY[:24])
    return {
        "encoded": base64.b64encode(KEY + costs + box).decode(),
        "encoding": {"content": ["pkcs8", "ed25519"], "type": ["scrypt", "xsalsa20-poly1305"], "version": "3"},
        "address": TABLE.get("polkadot").public_half(Secret(KEY), "ed25519").address,
        "meta": {"name": "hot"},
    }


def _open_polkadot_json(document: str, password: str = PASSWORD) -> object:
    network = TABLE.get("polkadot")
    assert isinstance(network, KeystoreNetwork)
    return network.open_keystore(Secret.from_text(document), Secret.from_text(password))


# --- sealed texts and root keys ------------------------------------------------------------------------------

_ROOT = local.LocalRootKey("file:here", Secret(bytes(range(32))))
_SEALED = samples.sealed()
_WRAP = wrap_one(_ROOT, samples.KID, samples.SEALING_KEY)
_ROOT_TEXT = local.new_text(lambda size: KEY[:size]).reveal_text()
_VARIABLE = "HOSTILE_ROOT_KEY"
_ENVELOPE = {
    "version": 1,
    "algorithm": "aes-256-gcm",
    "salt": "00" * 16,
    "iv": "00" * 12,
    "encrypted": "00" * 64,
    "authTag": "00" * 16,
}


def _unwrap(wrapped: str) -> object:
    wrap = WrappedKey(_WRAP.kid, _WRAP.root_key_uri, wrapped, _WRAP.check_value)
    return keyring.unwrap(KeyringRows(_WRAP.kid, (wrap,), (_WRAP.kid,)), _ROOT)


def _use_root_key(uri: str) -> object:
    """Open a root key, and use it if it comes from a file or a variable: nobody is asked, no descriptor is read."""
    _make_root_key_file()
    root_key = open_root_key(uri)
    if not uri.startswith(("file:", "env:")):
        return root_key
    return unwrap_one(root_key, wrap_one(root_key, samples.KID, samples.SEALING_KEY))


# --- files ---------------------------------------------------------------------------------------------------


_FOLDER = Path(tempfile.gettempdir()) / f"strongroom-hostile-{secrets_module.token_hex(8)}"
"""Made when the first file is."""


@cache
def _folder() -> Path:
    _FOLDER.mkdir(mode=0o700)
    atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
    return _FOLDER


def _file(name: str, content: str | bytes) -> Path:
    path = _folder() / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(errors="surrogatepass"))
    path.chmod(0o600)
    return path


os.environ[_VARIABLE] = _ROOT_TEXT


@cache
def _make_root_key_file() -> None:
    _file("root.key", _ROOT_TEXT)


def _load_settings(content: str | bytes) -> object:
    return Settings.load(config=_file("strongroom.toml", content), environ={}, database="sqlite:///vault.db")


def _load_environment(given: Mapping[str, str]) -> object:
    return Settings.load(config=_file("empty.toml", ""), environ={"STRONGROOM_DATABASE_URL": "sqlite:///a.db", **given})


def _load_plan(content: str | bytes) -> object:
    return plans.load(_file("plan.json", content))


def _plan() -> dict[str, Any]:
    action = Action(ORDER[0], "plaintext-key", "credential_vault_storage", PROJECT, "hex private key", PROJECT)
    unit = plans.Unit(PROJECT, "0x12", "ab" * 32, [action])
    made: dict[str, Any] = json.loads("".join(plans.lines(plans.Plan("db", "g4", "k1", [unit]))))
    return made


def _balances(content: str | bytes) -> object:
    return repair_command._balances(str(_file("balances.csv", content)))


def _use_url(url: str) -> object:
    """Read a database URL, make an engine of it that connects to nothing, and show it."""
    assert without_password(url) is not None
    has_password(url)
    engines.store_engine(url).dispose()
    return parse_url(url, writing=False)


_TOML = (
    f'database = "sqlite:///vault.db"\nroot_key = "file:root.key"\npool_size = 5\n# {PROJECT}\n',
    'database = "postgresql://app@localhost/vault"\nprepared_statements = false\nconnect_timeout_seconds = 3\n',
)
_URLS = (
    "sqlite:///vault.db",
    "sqlite+pysqlite:////var/lib/vault.db",
    "postgresql://app@localhost:5432/vault",
    f"postgresql://app:{PASSWORD}@one.example,two.example/vault?target_session_attrs=any&sslmode=require",
    f"postgresql+psycopg:///vault?host=/run/postgresql&user=app&password={PASSWORD}",
    "postgres://[::1]:5432/vault?connect_timeout=3&sslmode=verify-full",
)


def _of_settings() -> Iterator[Parser]:
    good: dict[str, tuple[Any, ...]] = {
        "database": _URLS,
        "root_key": ("file:root.key", "env:KEY", None),
        "schema": ("strongroom", "vault_2", None),
        "keyring_kid": ("IkQTvxH9q06O2cyGTZCCzw", None),
        "prepared_statements": (True, False),
        "accept_foreign": (True, False),
        "allow_plaintext_postgresql": (True, False),
        "withdraw_variables": (True, False),
    }
    for field in fields(Settings):
        read = partial(_set, field.name)
        yield values(f"setting {field.name}", read, *good.get(field.name, (5, 100)))


def _set(name: str, value: Any) -> object:
    settings = Settings(**{"database": "sqlite:///vault.db", name: value})
    return repr(settings)


PARSERS: Sequence[Parser] = (
    texts("network names", TABLE.get, *(network.name for network in TABLE)),
    *_of_networks(),
    texts("derivation paths", paths.parse, "m/44'/60'/0'/0/0", "m"),
    secrets("phrases", lambda text: Phrase.parse(text).entropy(), WORDS, " ".join(["zoo"] * 11 + ["wrong"])),
    secrets("phrases' passphrases", lambda text: Phrase.parse(Secret.from_text(WORDS), text), PASSWORD, "ㄅ TREZOR"),
    secrets(
        "extended keys",
        ExtendedKey.parse,
        ExtendedKey.from_seed(PHRASE.seed()).serialise().reveal_text(),
        ExtendedKey.from_seed(PHRASE.seed()).public().serialise().reveal_text(),
    ),
    secrets("keystores in one line", lambda text: _open_line(text, PASSWORD), *_LINES),
    secrets("passwords of keystores in one line", lambda text: _open_line(_LINES[0], text), PASSWORD),
    json_texts("keystores", _open_keystore, _keystore("pbkdf2", 1), _keystore("scrypt", 2), wrapped=True),
    secrets(
        "keystores' passwords",
        lambda text: _open_keystore(json.dumps(_keystore("pbkdf2", 1)), text.reveal_text()),
        PASSWORD,
        refusals=(StrongroomError, UnicodeDecodeError),
    ),
    json_texts("files of cardano-cli", _read_skey, _SKEY, wrapped=True),
    json_texts("documents of polkadot-js", _open_polkadot_json, _polkadot_json(), wrapped=True),
    texts("sealed texts", samples.opened, _SEALED),
    texts("wraps", _unwrap, _WRAP.wrapped),
    secrets("root key texts", lambda text: local.parse_text(text, "The file"), _ROOT_TEXT),
    texts(
        "root key URIs",
        _use_root_key,
        f"file:{_FOLDER / 'root.key'}",
        f"env:{_VARIABLE}",
        "passphrase:env:NAME",
        "passphrase:",
        says_names=True,
    ),
    secrets("passphrases", lambda text: passphrase_source.normal(text, "What was typed"), PASSWORD, "ﬁ\u3000x"),
    texts(
        "key texts of the field",
        key_texts.read,
        *KEY_TEXTS.values(),
        WORDS,
        f"0x {WORDS}",
        json.dumps(_ENVELOPE),
        json.dumps(_keystore("pbkdf2", 1)),
        _SEALED,
        refusals=(),
    ),
    *_of_settings(),
    texts("settings files", _load_settings, *_TOML, says_names=True),
    Parser(
        "environments",
        _load_environment,
        ({"STRONGROOM_POOL_SIZE": "7"},),
        st.dictionaries(st.sampled_from(sorted(ENVIRONMENT.values())) | ANY_TEXT, ANY_TEXT, max_size=5),
    ),
    texts("database URLs", _use_url, *_URLS),
    json_texts("plan files", _load_plan, _plan(), says_names=True),
    texts("balances files", _balances, "0xabc,1.5\n\n0xdef , 0\n", refusals=(CommandLineError,)),
    values("project ids", identifiers.check_project_id, PROJECT, UUID(PROJECT)),
    values("wallet ids", identifiers.check_wallet_id, PROJECT, PROJECT.replace("-", "").upper()),
    values("labels", identifiers.check_label, "default", "hot.1-a_b"),
    values("idempotency keys", identifiers.check_idempotency_key, PROJECT, "ключ", None),
    values("actors", lambda given: Attribution.of(given, None), PROJECT, "alice", UUID(PROJECT)),
    values("reasons", lambda given: Attribution.of("alice", given, required=True), "every year"),
    values(
        "stored requests",
        lambda given: Request("create", "ethereum", "default", {}).differing_fields(given),
        '{"operation":"create"}',
    ),
    texts("beginnings of sealed texts", rows.kid_of, _SEALED[:40], refusals=()),
)


def strings_of(given: Any) -> Iterator[str]:
    """Every text in what was given, at any depth."""
    waiting = [given]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, bytes):
            yield each.decode("latin-1")
        elif isinstance(each, Mapping):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, (list, tuple)):
            waiting += each
