"""The URI names a provider and its settings; it is never a secret, and a key pasted in its place is not quoted."""

from __future__ import annotations

from pathlib import Path

import pytest

from strongroom.errors import InvalidSettingError
from strongroom.rootkeys import PROVIDERS, local, open_root_key
from strongroom.rootkeys.environment import EnvironmentRootKey
from strongroom.rootkeys.file import FileRootKey

TEXT = local.new_text(lambda size: bytes(range(size))).reveal_text()


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:root.key", "root.key"),
        ("file:./root.key", "root.key"),
        ("file:../keys/root.key", "../keys/root.key"),
        ("file:keys/root.key", "keys/root.key"),
        ("file:/etc/strongroom/root.key", "/etc/strongroom/root.key"),
        ("file:///etc/strongroom/root.key", "/etc/strongroom/root.key"),
        ("file:with space:and colon.key", "with space:and colon.key"),
        ("file:ключ.key", "ключ.key"),
    ],
)
def test_a_file_uri_names_a_path(uri: str, path: str) -> None:
    root_key = open_root_key(uri)
    assert isinstance(root_key, FileRootKey)
    assert root_key.path == Path(path).absolute(), "made absolute once: a later chdir changes nothing"
    assert root_key.uri == uri


@pytest.mark.parametrize("form", ["file:{}", "file://{}"])
def test_an_absolute_path_is_made_and_read(tmp_path: Path, form: str) -> None:
    root_key = open_root_key(form.format(tmp_path / "root.key"))
    assert isinstance(root_key, FileRootKey)
    assert root_key.create()
    assert (tmp_path / "root.key").is_file()


def test_a_relative_path_leads_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    root_key = open_root_key("file:root.key")
    assert isinstance(root_key, FileRootKey)
    assert root_key.create()
    assert (tmp_path / "root.key").is_file()


def test_an_env_uri_names_a_variable() -> None:
    root_key = open_root_key("env:STRONGROOM_ROOT")
    assert isinstance(root_key, EnvironmentRootKey)
    assert root_key.name == "STRONGROOM_ROOT"


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "root.key",
        "/etc/root.key",
        "file",
        "file:",
        "env:",
        ":root.key",
        "FILE:root.key",
        "https://keys.example/root",
        "vault-transit:key",
        " file:root.key",
        TEXT,
        f"key:{TEXT}",
        "ab" * 32,
    ],
)
def test_another_uri_is_refused_and_not_quoted(uri: str) -> None:
    with pytest.raises(InvalidSettingError) as caught:
        open_root_key(uri)
    shown = repr((caught.value, vars(caught.value)))
    assert uri.strip() in caught.value.hint or uri not in shown
    assert local.PREFIX not in shown
    if local.PREFIX not in uri:
        assert all(f"{scheme}:" in caught.value.hint for scheme in PROVIDERS)


def test_opening_a_root_key_reads_nothing_yet(tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "root.key"
    for uri in (
        f"file:{missing}",
        "env:NOT_SET_ANYWHERE",
        "passphrase:",
        "passphrase:prompt:break-glass",
        "passphrase:fd:9999",
        f"passphrase:file:{missing}",
        "passphrase:env:NOT_SET_ANYWHERE",
    ):
        assert open_root_key(uri).uri == uri


def test_every_provider_opens_by_its_scheme() -> None:
    for scheme in PROVIDERS:
        uri = {"passphrase": "passphrase:env:NAME"}.get(scheme, f"{scheme}:name")
        assert open_root_key(uri).uri == uri


@pytest.mark.parametrize(
    "place",
    [
        "correct horse battery staple",
        "prompt:",
        "prompt:correct horse",
        "prompt:" + "a" * 65,
        "fd:",
        "fd:-1",
        "fd:1",
        "fd:2",
        "fd:03",
        "fd:3 ",
        "fd:٣",
        "fd:" + "9" * 5000,
        "file:",
        "env:",
        "env:correct horse battery staple",
        "env:A=B",
        "stdin:",
        "FD:3",
    ],
)
def test_a_passphrase_uri_that_names_no_source_is_refused_and_not_quoted(place: str) -> None:
    with pytest.raises(InvalidSettingError) as caught:
        open_root_key(f"passphrase:{place}")
    shown = repr((caught.value, vars(caught.value)))
    assert "correct horse" not in shown
    assert place.endswith(":") or f"passphrase:{place}" not in shown
    assert "passphrase:fd:NUMBER" in caught.value.hint


@pytest.mark.parametrize("uri", ["file:" + "a/" * 4096, "file:\ud800", "env:a\0b"])
def test_what_a_database_cannot_keep_or_nobody_would_write_is_refused(uri: str) -> None:
    with pytest.raises(InvalidSettingError) as caught:
        open_root_key(uri)
    assert uri[5:] not in str(caught.value)
