"""What every root key keeps to, whatever holds it: the contract of ``ports.RootKey``, one suite for all of them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from strongroom.crypto import keyring, wraps
from strongroom.crypto.keyring import kid_of, new_sealing_key
from strongroom.crypto.wraps import unwrap_one, wrap_one
from strongroom.errors import (
    KeyringCorruptError,
    RootKeyDeniedError,
    RootKeyError,
    RootKeyMissingError,
    RootKeyUnavailableError,
)
from strongroom.ports.root_key import CheckedRootKey, CostlyRootKey, ForgettableRootKey, NotMine, RootKey
from strongroom.records.keyring import KeyringRows, WrapContext, WrappedKey
from strongroom.rootkeys import ProviderOptions, argon2id, local, open_root_key
from strongroom.rootkeys.argon2id import Parameters
from strongroom.rootkeys.file import FileRootKey
from strongroom.secret import Secret
from testbed.harness.remote_root_key import TOKEN, RemoteKeys, RemoteRootKey, RemoteTokens, open_remote, remote_keys

SEALING_KEY = Secret(bytes(range(32)))
KID = kid_of(SEALING_KEY)
LONGEST_SECONDS = 60
"""After which a call that should have ended counts as one that never does."""
FAILURES = (NotMine, KeyringCorruptError)


@dataclass(frozen=True)
class RootKeyCase:
    """One kind of root key: a way to open the same one again and again, another one, and one that is not there."""

    kind: str
    open: Callable[[], RootKey]
    open_other: Callable[[], RootKey]
    open_missing: Callable[[], RootKey]
    take_away: Callable[[], object]
    """Let no verb work any more that needs the key itself."""


@pytest.fixture(autouse=True)
def _cheap_stretching(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id has tests of its own."""

    def quick(passphrase: Secret, parameters: Parameters) -> Secret:
        return Secret(hashlib.sha256(passphrase.reveal() + repr(parameters).encode()).digest())

    monkeypatch.setattr(argon2id, "stretch", quick)


class Secrets:
    """A source of secrets by name that the test fills."""

    def __init__(self) -> None:
        self.found: dict[str, Secret] = {}

    def secret(self, name: str) -> Secret | None:
        return self.found.get(name)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    """The environment has none of them: providers ask what they were given."""
    for name in ("CONTRACT_KEY", "CONTRACT_OTHER", TOKEN):
        monkeypatch.delenv(name, raising=False)
    return Secrets()


@pytest.fixture
def service() -> Iterator[RemoteKeys]:
    with remote_keys() as keys:
        yield keys


def at(uri: str, secrets: Secrets) -> Callable[[], RootKey]:
    return lambda: open_root_key(uri, ProviderOptions(secrets))


def of_file(folder: Path, secrets: Secrets) -> RootKeyCase:
    for name in ("root", "other"):
        assert FileRootKey(f"file:{folder / name}").create()
    opened, other, missing = (at(f"file:{folder / name}", secrets) for name in ("root", "other", "missing"))
    return RootKeyCase("file", opened, other, missing, (folder / "root").unlink)


def of_variable(secrets: Secrets, form: str, make: Callable[[str], Secret]) -> RootKeyCase:
    secrets.found.update({name: make(name) for name in ("CONTRACT_KEY", "CONTRACT_OTHER")})
    names = ("CONTRACT_KEY", "CONTRACT_OTHER", "CONTRACT_MISSING")
    opened, other, missing = (at(f"{form}{name}", secrets) for name in names)
    return RootKeyCase(form, opened, other, missing, secrets.found.clear)


def of_service(keys: RemoteKeys) -> RootKeyCase:
    def named(name: str) -> Callable[[], RootKey]:
        return lambda: open_remote(keys.uri(name), ProviderOptions(RemoteTokens(), 30))

    return RootKeyCase("remote", named("first"), named("second"), named("none"), keys.close)


@pytest.fixture(params=["file", "env", "passphrase", "remote"])
def backend(request: pytest.FixtureRequest, private_path: Path, secrets: Secrets) -> RootKeyCase:
    if request.param == "file":
        return of_file(private_path, secrets)
    if request.param == "env":
        return of_variable(secrets, "env:", lambda _: local.new_text())
    if request.param == "passphrase":
        return of_variable(secrets, "passphrase:env:", lambda name: Secret.from_text(f"six random words of {name}"))
    return of_service(request.getfixturevalue("service"))


# --- what all of them do -------------------------------------------------------------------------------------


def test_what_one_wraps_another_instance_of_the_same_key_unwraps(backend: RootKeyCase) -> None:
    wrapped = backend.open().wrap(SEALING_KEY, WrapContext(KID))
    assert backend.open().unwrap(wrapped, WrapContext(KID)).reveal() == SEALING_KEY.reveal()
    again = backend.open().wrap(SEALING_KEY, WrapContext(KID))
    assert again != wrapped, "each wrap is made with randomness of its own"
    assert SEALING_KEY.reveal() not in wrapped.encode()


def test_a_wrap_is_printable_ascii_that_the_keyring_reads_whole(backend: RootKeyCase) -> None:
    wrapped = backend.open().wrap(SEALING_KEY, WrapContext(KID))
    assert wrapped.isascii()
    assert wrapped.isprintable()
    assert len(wrapped) <= 4096


def test_in_another_context_nothing_opens(backend: RootKeyCase) -> None:
    wrapped = backend.open().wrap(SEALING_KEY, WrapContext(KID))
    for kid in (kid_of(new_sealing_key()), KID[:-1], "", KID.lower()):
        with pytest.raises(FAILURES):
            backend.open().unwrap(wrapped, WrapContext(kid))


def test_the_wrap_of_another_key_is_not_mine(backend: RootKeyCase) -> None:
    wrap = wrap_one(backend.open_other(), KID, SEALING_KEY)
    with pytest.raises(NotMine):
        backend.open().unwrap(wrap.wrapped, wrap.context)
    with pytest.raises(NotMine):
        unwrap_one(backend.open(), wrap)


def test_damage_is_a_failure_of_the_wrap_and_no_other_error(backend: RootKeyCase) -> None:
    opened = backend.open()
    wrapped = opened.wrap(SEALING_KEY, WrapContext(KID))
    places = range(0, len(wrapped), 7)
    flipped = [f"{wrapped[:at]}{'A' if wrapped[at] != 'A' else 'B'}{wrapped[at + 1 :]}" for at in places]
    others = ("", ".", wrapped[:-3], wrapped + wrapped, "é" + wrapped, "\ud800", wrapped.upper(), "x" * 4096)
    for text in (*flipped, *others):
        with pytest.raises(FAILURES):
            opened.unwrap(text, WrapContext(KID))


def test_it_recognises_its_wraps_and_nobody_is_asked(backend: RootKeyCase) -> None:
    opened = backend.open()
    wrap = wrap_one(opened, KID, SEALING_KEY)
    fresh = backend.open()
    backend.take_away()
    assert fresh.recognises(wrap)
    assert fresh.recognises(replace(wrap, root_key_uri="whatever:it says", check_value=""))
    assert fresh.recognises(replace(wrap, kid="")), "the text alone counts"
    for text in ("", "\ud800", "x" * 100_000):
        fresh.recognises(replace(wrap, wrapped=text))


def test_it_does_not_recognise_the_wraps_of_other_kinds(
    backend: RootKeyCase, private_path: Path, secrets: Secrets, service: RemoteKeys
) -> None:
    kinds = {"local": ("file", "env:"), "passphrase": ("passphrase:env:",), "remote": ("remote",)}
    secrets.found["CONTRACT_THIRD"] = Secret.from_text("six random words of nobody")
    others = {
        "local": local.LocalRootKey("file:x", Secret(b"x" * 32)),
        "passphrase": at("passphrase:env:CONTRACT_THIRD", secrets)(),
        "remote": RemoteRootKey(service.uri("third"), RemoteTokens(), 30),
    }
    for kind, other in others.items():
        if backend.kind not in kinds[kind]:
            wrap = wrap_one(other, KID, SEALING_KEY)
            assert not backend.open().recognises(wrap) or (kind, backend.kind) in LENIENT
            with pytest.raises(NotMine):
                unwrap_one(backend.open(), wrap)


LENIENT = {("remote", "file"), ("remote", "env:")}
"""A text that no root key of 32 bytes can read may be a damaged one of theirs: trying it costs nothing."""


def test_a_key_that_is_not_there_is_missing_for_both_verbs(backend: RootKeyCase) -> None:
    wrapped = backend.open().wrap(SEALING_KEY, WrapContext(KID))
    missing = backend.open_missing()
    with pytest.raises(RootKeyMissingError):
        missing.wrap(SEALING_KEY, WrapContext(KID))
    with pytest.raises(RootKeyMissingError):
        missing.unwrap(wrapped.replace(".first.", ".none."), WrapContext(KID))


def test_a_check_value_is_the_keys_own(backend: RootKeyCase) -> None:
    opened = backend.open()
    wrap = wrap_one(opened, KID, SEALING_KEY)
    if not isinstance(opened, CheckedRootKey):
        assert wrap.check_value == ""
        return
    again, other = backend.open(), backend.open_other()
    assert isinstance(again, CheckedRootKey)
    assert isinstance(other, CheckedRootKey)
    assert 0 < len(wrap.check_value) <= 100
    assert again.check_value(wrap.wrapped) == wrap.check_value != other.check_value(wrap.wrapped)
    with pytest.raises(KeyringCorruptError):
        unwrap_one(again, replace(wrap, wrapped=_damaged(wrap.wrapped)))


def _damaged(wrapped: str) -> str:
    return wrapped[:-4] + ("AAAA" if not wrapped.endswith("AAAA") else "BBBB")


def test_what_was_forgotten_is_asked_for_again(backend: RootKeyCase) -> None:
    opened = backend.open()
    wrapped = opened.wrap(SEALING_KEY, WrapContext(KID))
    if isinstance(opened, ForgettableRootKey):
        opened.forget()
    assert opened.unwrap(wrapped, WrapContext(KID)).reveal() == SEALING_KEY.reveal()


def test_threads_share_one(backend: RootKeyCase) -> None:
    opened = backend.open()
    keys = [new_sealing_key() for _ in range(6)]
    found: dict[int, bool] = {}

    def use(number: int) -> None:
        key = keys[number]
        found[number] = keyring.kid_of(unwrap_one(opened, wrap_one(opened, kid_of(key), key))) == kid_of(key)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(len(keys))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONGEST_SECONDS)
    assert found == dict.fromkeys(range(len(keys)), True)


def test_neither_repr_nor_an_error_shows_a_secret(backend: RootKeyCase, secrets: Secrets) -> None:
    opened = backend.open()
    wrapped = opened.wrap(SEALING_KEY, WrapContext(KID))
    told = [repr(opened), str(opened), opened.uri]
    missing = backend.open_missing()
    for root_key, text in ((opened, ""), (missing, wrapped), (missing, "")):
        with pytest.raises((RootKeyError, NotMine)) as caught:
            root_key.unwrap(text, WrapContext(KID))
        told.append(repr((caught.value, vars(caught.value))))
    hidden = [each.reveal_text() for each in secrets.found.values()] + ["a token that nobody may print"]
    assert not [each for each in hidden if any(each in text for text in told)]


def test_a_whole_keyring_opens_among_the_rows_of_another_key(backend: RootKeyCase) -> None:
    keys = [new_sealing_key() for _ in range(3)]
    mine, theirs = backend.open(), backend.open_other()
    made = [wraps.wrap(by, kid_of(key), key) for key in keys for by in (theirs, mine)]
    kids = tuple(kid_of(key) for key in keys)
    assert keyring.unwrap(KeyringRows(kids[0], tuple(made), kids), backend.open()).kids == set(kids)


# --- what services do ----------------------------------------------------------------------------------------


def remote(service: RemoteKeys, seconds: float = 30) -> RemoteRootKey:
    return RemoteRootKey(service.uri(), RemoteTokens(), seconds)


def rows_of(made: list[WrappedKey]) -> KeyringRows:
    kids = tuple(dict.fromkeys(wrap.kid for wrap in made))
    return KeyringRows(kids[0], tuple(made), kids)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("denies", RootKeyDeniedError),
        ("is busy", RootKeyUnavailableError),
        ("hangs up", RootKeyUnavailableError),
        ("babbles", RootKeyUnavailableError),
        ("hangs", RootKeyUnavailableError),
        ("drips", RootKeyUnavailableError),
    ],
)
def test_a_service_that_does_not_serve_is_asked_once(service: RemoteKeys, mode: str, kind: type[RootKeyError]) -> None:
    keys = [new_sealing_key() for _ in range(5)]
    made = [wrap_one(remote(service), kid_of(key), key) for key in keys]
    service.mode = mode
    service.calls.clear()
    root_key = remote(service, 0.2 if mode in ("hangs", "drips") else 30)
    with pytest.raises(kind) as caught:
        keyring.unwrap(rows_of(made), root_key)
    assert caught.value.retryable == (kind is RootKeyUnavailableError)
    with pytest.raises(kind):
        wrap_one(root_key, KID, SEALING_KEY)
    assert service.calls == ["unwrap", "wrap"], "no second wrap is tried"


def test_a_service_that_went_away_is_unavailable(service: RemoteKeys) -> None:
    made = [wrap_one(remote(service), KID, SEALING_KEY)]
    service.close()
    with pytest.raises(RootKeyUnavailableError):
        keyring.unwrap(rows_of(made), remote(service))


def test_a_service_that_lies_is_found_out(service: RemoteKeys) -> None:
    made = [wrap_one(remote(service), KID, SEALING_KEY)]
    service.mode = "lies"
    with pytest.raises(KeyringCorruptError):
        keyring.unwrap(rows_of(made), remote(service))
    with pytest.raises(KeyringCorruptError):
        wraps.wrap(remote(service), KID, SEALING_KEY)


def test_no_call_is_made_for_wraps_that_are_not_recognised(service: RemoteKeys) -> None:
    other = local.LocalRootKey("file:x", Secret(b"x" * 32))
    made = [wrap_one(other, KID, SEALING_KEY) for _ in range(50)] + [wrap_one(remote(service), KID, SEALING_KEY)]
    service.calls.clear()
    assert keyring.unwrap(rows_of(made), remote(service)).kids == {KID}
    assert service.calls == ["unwrap"]


def test_calls_for_rows_that_somebody_added_are_bounded(service: RemoteKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wraps, "_MOST_FAILED_DEAR_WRAPS", 5)
    good = wrap_one(remote(service), KID, SEALING_KEY)
    planted = [replace(good, kid=f"{number:022}") for number in range(50)]
    service.calls.clear()
    with pytest.raises(KeyringCorruptError, match="do not open"):
        keyring.unwrap(rows_of([*planted, good]), remote(service))
    assert len(service.calls) <= 6


def test_the_token_comes_from_the_source_that_was_given(service: RemoteKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "the one of the environment")
    given = RemoteTokens()
    wrap_one(RemoteRootKey(service.uri(), given, 30), KID, SEALING_KEY)
    assert given.asked == [TOKEN]
    with pytest.raises(RootKeyMissingError):
        wrap_one(RemoteRootKey(service.uri(), RemoteTokens(empty=True), 30), KID, SEALING_KEY)


def test_what_costs_a_call_says_so(service: RemoteKeys) -> None:
    root_key = remote(service)
    assert isinstance(root_key, CostlyRootKey)
    assert root_key.rank(wrap_one(root_key, KID, SEALING_KEY)) > 0
