"""Hostile arguments for every verb of a vault: a value or a typed error, and the wallets that are there stay whole."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import strongroom
from strongroom import Vault
from strongroom.errors import StrongroomError
from testbed.harness.canary import report
from testbed.harness.sizes import SIZE, settle_seed
from testbed.networks import evm_payloads as evm
from tests.attacks.audit import audit
from tests.attacks.hostile_input.outcomes import assert_typed
from tests.attacks.hostile_input.strategies import ANY_TEXT, ANYTHING, CANARY, KEY, PASSWORD, SECRETS, WORDS, mutated
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally

_DEFAULTED = {"options", "permissions"}


def _good(vault: Vault, folder: Path) -> Mapping[str, Any]:
    """A valid value for each parameter of each verb."""
    project = uuid4()
    wallet, _ = vault.create_wallet(project, "ethereum")
    vault.create_phrase(project)
    return {
        "project_id": project,
        "network": "base",
        "networks": ["base", "solana"],
        "label": "default",
        "variant": "default",
        "words": 12,
        "idempotency_key": "a key",
        "actor": "alice",
        "reason": "every year",
        "connection": None,
        "private_key": KEY.hex(),
        "mnemonic": WORDS,
        "passphrase": PASSWORD,
        "keystore": "{}",
        "keystore_password": PASSWORD,
        "path": "m/44'/60'/0'/0/0",
        "address": wallet.address,
        "wallet": wallet.id,
        "limit": 10,
        "after": str(wallet.id),
        "phrases": True,
        "password": "short",  # a longer one makes a keystore, which takes a second
        "uri": f"file:{folder / 'missing.key'}",
        "kind": "message",
        "payload": "hello",
        "data": "hello",
        "document": evm.MAIL,
        "transaction": evm.DYNAMIC_FEE,
        "authorization": {"chainId": 1, "address": evm.TO, "nonce": 1},
        "psbt": b"psbt\xff",
        "digest": bytes(32),
        "replace": False,
        "nonce_guard": True,
        "allow_retired": False,
        "max_fee": 10**18,
        "allow_extra_members": True,
        "to": "history",
        "text_id": wallet.id,
        "archive_current": False,
        "entry": wallet.id,
        "legacy_password": PASSWORD,
        "search": "0x",
        "action": "create",
        "since": datetime(2026, 1, 1, tzinfo=UTC),
        "until": datetime(2126, 1, 1, tzinfo=UTC),
        "phrase": "default",
        "labels": ["a", "b"],
        "count": 2,
        "label_prefix": "c-",
        "account": 0,
        "is_used": lambda _: False,
        "gap": 2,
        "most": 5,
        "give_away_account": False,
    }


def verbs() -> dict[str, list[inspect.Parameter]]:
    """Every public verb of a vault, and what it takes."""
    found = {}
    for name, verb in inspect.getmembers(Vault, inspect.isfunction):
        if not name.startswith("_"):
            parameters = list(inspect.signature(verb).parameters.values())[1:]
            found[name] = [each for each in parameters if each.name not in _DEFAULTED]
    return found


VERBS = {name: parameters for name, parameters in verbs().items() if parameters}
_BAD: Mapping[str, st.SearchStrategy[Any]] = {
    "uri": ANY_TEXT.filter(lambda text: not text.startswith(("passphrase:", "file:/"))),
    "password": st.text(max_size=7) | st.integers() | st.binary(max_size=7),
    "connection": st.builds(object) | st.text(max_size=5),
    "limit": ANYTHING | st.sampled_from((0, -1, 1001, 10**30, True)),
}


@st.composite
def calls(draw: st.DrawFn, verb: str, good: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Arguments of a verb: those that it needs, some others, and one to three of them hostile."""
    parameters = VERBS[verb]
    chosen = {
        each.name: good[each.name] for each in parameters if each.default is each.empty or draw(st.integers(0, 4)) == 0
    }
    for name in draw(st.lists(st.sampled_from([each.name for each in parameters]), min_size=1, max_size=3)):
        text = good[name] if isinstance(good.get(name), str) else ""
        chosen[name] = draw(_BAD.get(name, mutated(st.just(text)) | ANYTHING | SECRETS))
    first = [each.name for each in parameters if each.kind is not each.KEYWORD_ONLY and each.name in chosen]
    return [chosen.pop(name) for name in first], chosen


@pytest.fixture
def opened(sqlite_vault_url: str, root_key_uri: str) -> Iterator[Vault]:
    """A vault in SQLite."""
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        yield vault


@pytest.mark.sized("examples")
@pytest.mark.parametrize("part", range(2))
def test_hostile_arguments_of_every_verb(
    opened: Vault, sqlite_vault_url: str, root_key_uri: str, private_path: Path, tally: StartTally, part: int
) -> None:
    row = tally("hostile input")
    good = _good(opened, private_path)
    for verb in sorted(VERBS)[part::2]:
        others = {"project_id": uuid4()} if verb == "erase_project" else {}  # the wallet is asked for afterwards
        attack(opened, verb, {**good, **others}, row)
    audit(row, sqlite_vault_url, root_key_uri, {str(good["wallet"]): good["address"]})


def attack(vault: Vault, verb: str, good: Mapping[str, Any], row: Tally) -> None:
    """Call one verb in many ways; no error says anything of the secrets that it was given."""

    @seed(settle_seed())
    @settings(
        max_examples=max(10, SIZE.examples // 8),
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(calls(verb, good))
    def once(arguments: tuple[list[Any], dict[str, Any]]) -> None:
        row.fault("verbs of the vault")
        try:
            called(getattr(vault, verb), *arguments)
        except StrongroomError as error:
            assert_typed(error)
            leaks = CANARY.in_text(f"{error!r} {error} {error.message} {error.hint} {vars(error)!r}", verb)
            row.leaked += len(leaks)
            assert not leaks, report(leaks)

    once()


def called(verb: Callable[..., Any], positional: list[Any], named: dict[str, Any]) -> object:
    """What a verb returns; what it streams, to its end."""
    answer = verb(*positional, **named)
    return list(answer) if isinstance(answer, Iterator) else answer


def test_every_parameter_of_every_verb_is_attacked(opened: Vault, private_path: Path) -> None:
    good = _good(opened, private_path)
    missing = {each.name for parameters in VERBS.values() for each in parameters} - set(good)
    assert not missing, "a valid value belongs into the table above"
    assert len(VERBS) > 20
