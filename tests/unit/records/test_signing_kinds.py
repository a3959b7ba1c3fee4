"""Kinds are data: what networks declare, and how a request is checked against it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from strongroom.cli import sign as command_line
from strongroom.errors import MalformedPayloadError, UnsupportedSigningError
from strongroom.networks import TABLE
from strongroom.networks.bitcoin import kinds as bitcoin_kinds
from strongroom.networks.bitcoin import sighash
from strongroom.networks.bitcoin import signing as bitcoin
from strongroom.networks.evm import signing as evm
from strongroom.networks.solana import signing as solana
from strongroom.ports.signing import SigningNetwork
from strongroom.records.signing import SigningRequest
from strongroom.records.signing_kinds import (
    ALLOW_RETIRED,
    FOR_VAULT,
    NONCE_GUARD,
    REPLACE,
    Option,
    SigningKind,
    VaultOptions,
    by_name,
    check_request,
)

KINDS = by_name(
    SigningKind(
        "message",
        "a message",
        "made up",
        ("bytes",),
        (
            Option("loud", "flag", "Loudly.", default=False),
            Option("limit", "amount", "At most.", default=7),
            Option("tone", "choice", "How.", choices=("high", "low")),
            Option("tones", "choices", "Which.", default=(), choices=("high", "low")),
            Option("salt", "bytes", "Salt."),
            Option("names", "list", "Names."),
            REPLACE,
            NONCE_GUARD,
            ALLOW_RETIRED,
        ),
    ),
    SigningKind("plain", "a plain thing", "made up", ("bytes",), ()),
)


def signing_networks() -> list[SigningNetwork]:
    return [network for network in TABLE if isinstance(network, SigningNetwork)]


def check(kind: Any, options: Any) -> Any:
    return check_request("made-up", KINDS, SigningRequest(kind, b"", options))


def test_an_option_that_is_not_given_is_at_its_default() -> None:
    checked = check("message", {})
    none = {"loud": False, "limit": 7, "tone": None, "tones": (), "salt": None, "names": None}
    assert (dict(checked.request.options), checked.vault) == (none, VaultOptions())
    given = {"loud": True, "limit": 0, "tone": "low", "tones": ["high"], "salt": b"", "names": ["x"]}
    checked = check("message", {**given, "replace": True, "nonce_guard": False, "allow_retired": True})
    assert (dict(checked.request.options), checked.vault) == (given, VaultOptions(True, True, False))


@pytest.mark.parametrize(
    "options",
    [
        {"other": 1},
        {1: 1},
        {"loud": 1},
        {"loud": None},
        {"limit": -1},
        {"limit": True},
        {"limit": "1"},
        {"limit": None},
        {"tone": "middle"},
        {"tone": []},
        {"tones": "high"},
        {"tones": [[]]},
        {"salt": 1},
        {"names": "x"},
        {"replace": 1},
        {"dangerous": True},
        None,
        [],
    ],
)
def test_what_is_not_declared_or_of_another_type_is_refused(options: Any) -> None:
    with pytest.raises(MalformedPayloadError) as refused:
        check("message", options)
    assert "middle" not in f"{refused.value}"


@pytest.mark.parametrize("kind", ["", "Message", "bare-hash", None, 1, ["message"]])
def test_another_kind_is_refused_with_those_that_there_are(kind: Any) -> None:
    with pytest.raises(UnsupportedSigningError) as refused:
        check(kind, {})
    assert refused.value.hint == "It signs: message, plain."


def test_what_a_vault_acts_on_says_nothing_at_its_default_and_is_refused_otherwise_where_it_is_not_declared() -> None:
    defaults = {name: option.default for name, option in FOR_VAULT.items()}
    assert check("plain", defaults).vault == VaultOptions()
    for name, default in defaults.items():
        with pytest.raises(MalformedPayloadError, match=name):
            check("plain", {name: not default})


def test_kinds_of_one_name_are_one_kind_on_every_network() -> None:
    seen: dict[str, str] = {}
    options: dict[tuple[str, str], tuple[Any, ...]] = {}
    for network in signing_networks():
        for name, kind in network.signing_kinds.items():
            assert (name, seen.setdefault(name, kind.noun)) == (kind.name, kind.noun)
            for option in kind.options:
                facts = (option.type, option.default, option.command_line)
                assert options.setdefault((name, option.name), facts) == facts
                assert option.help.endswith(".")
                assert "\n" not in option.help
                assert (FOR_VAULT.get(option.name) is option) == option.for_vault


@pytest.mark.parametrize(("name", "module"), [("ethereum", evm), ("bitcoin", bitcoin), ("solana", solana)])
def test_every_declared_kind_is_prepared_and_nothing_else(name: str, module: ModuleType) -> None:
    network: Any = TABLE.get(name)
    assert set(module.PREPARE) == set(network.signing_kinds)


def test_the_hash_types_that_are_declared_are_those_that_are_signed() -> None:
    assert tuple(sighash.NAMES) == bitcoin_kinds.SIGHASHES


def test_the_command_line_has_every_kind_that_is_not_dangerous_with_every_option() -> None:
    declared: dict[str, set[str]] = {}
    for network in signing_networks():
        for name, kind in network.signing_kinds.items():
            if not kind.dangerous:
                declared.setdefault(name, set()).update(kind.by_name)
    assert {kind.name: set(kind.by_name) for kind in command_line.declared()} == declared
