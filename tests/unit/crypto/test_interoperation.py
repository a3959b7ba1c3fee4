"""Other people's JOSE libraries open what strongroom seals, following docs/format.md alone; and the reverse."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.crypto import keyring
from strongroom.crypto.wraps import wrap_one
from strongroom.errors import IdentityMismatchError, SealedTextCorruptError
from strongroom.records.key_material import Identity, KeyMaterial
from strongroom.records.keyring import KeyringRows, WrappedKey
from strongroom.rootkeys import local
from strongroom.secret import Secret
from testbed.sealing import reader
from testbed.sealing.samples import (
    HEADER,
    IDENTITY,
    KID,
    MATERIAL,
    PAYLOAD,
    SEALING_KEY,
    opened,
    same,
    sealed,
    unused_bits,
)

ROW = {
    "project_id": str(IDENTITY.project_id),
    "credential_id": str(IDENTITY.credential_id),
    "network": IDENTITY.network,
    "wallet_address": IDENTITY.address,
}
KEYRING = {KID: SEALING_KEY.reveal()}
PROJECT_KEY = reader.project_key(SEALING_KEY.reveal(), ROW["project_id"])
OPENERS = pytest.mark.parametrize("open_jwe", [reader.open_with_joserfc, reader.open_with_jwcrypto])
SEALERS = pytest.mark.parametrize("seal_jwe", [reader.seal_with_joserfc, reader.seal_with_jwcrypto])
TEXT = st.text(st.characters(codec="utf-8"), max_size=100)


def test_the_reader_imports_nothing_of_strongroom() -> None:
    tree = ast.parse(Path(reader.__file__).read_text(encoding="utf-8"))
    imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert imported
    assert not [name for name in imported if name.startswith(("strongroom", "tests"))]


@OPENERS
def test_another_library_opens_a_sealed_text(open_jwe: reader.OpenJwe) -> None:
    assert MATERIAL.mnemonic is not None
    assert MATERIAL.passphrase is not None
    assert reader.open_text(sealed(), ROW, KEYRING, open_jwe) == {
        "v": 1,
        "private_key": MATERIAL.private_key.reveal().hex(),
        "scheme": MATERIAL.scheme,
        "path": MATERIAL.path,
        "mnemonic": MATERIAL.mnemonic.reveal_text(),
        "passphrase": MATERIAL.passphrase.reveal_text(),
    }


@OPENERS
def test_optional_members_are_absent(open_jwe: reader.OpenJwe) -> None:
    text = sealed(material=KeyMaterial(MATERIAL.private_key, "bip44"))
    assert set(reader.open_text(text, ROW, KEYRING, open_jwe)) == {"v", "private_key", "scheme"}


@OPENERS
@given(
    key=st.binary(min_size=32, max_size=32),
    path=st.none() | TEXT,
    mnemonic=st.none() | TEXT,
    passphrase=st.none() | TEXT,
    address=TEXT,
)
def test_another_library_opens_every_sealed_text(
    open_jwe: reader.OpenJwe, key: bytes, path: str | None, mnemonic: str | None, passphrase: str | None, address: str
) -> None:
    identity = Identity(uuid4(), uuid4(), "solana", address)
    row = {
        "project_id": str(identity.project_id),
        "credential_id": str(identity.credential_id),
        "network": "solana",
        "wallet_address": address,
    }
    material = KeyMaterial(Secret(key), "slip10", path, Secret.optional(mnemonic), Secret.optional(passphrase))
    payload = reader.open_text(sealed(identity, material), row, KEYRING, open_jwe)
    assert bytes.fromhex(payload["private_key"]) == key
    assert (payload.get("path"), payload.get("mnemonic"), payload.get("passphrase")) == (path, mnemonic, passphrase)


@OPENERS
def test_another_library_unwraps_the_keyring(open_jwe: reader.OpenJwe) -> None:
    root_key_text = local.new_text()
    root_key = local.LocalRootKey("file:root.key", local.parse_text(root_key_text, "It"))
    wrap = wrap_one(root_key, KID, SEALING_KEY)
    theirs = reader.read_root_key(root_key_text.reveal_text())
    assert wrap.check_value == reader.check_value(theirs)
    assert wrap.kid == reader.kid_of(SEALING_KEY.reveal())
    assert reader.unwrap(wrap.kid, wrap.wrapped, theirs, open_jwe) == SEALING_KEY.reveal()


@SEALERS
def test_a_text_of_another_library_is_opened(seal_jwe: reader.SealJwe) -> None:
    text = seal_jwe(HEADER, PAYLOAD, PROJECT_KEY)
    assert same(opened(text), KeyMaterial(MATERIAL.private_key, "bip44"))


@SEALERS
def test_a_wrap_of_another_library_is_unwrapped(seal_jwe: reader.SealJwe) -> None:
    root_key_bytes = bytes(range(32))
    header = {"kid": KID, "alg": "A256KW", "enc": "A256GCM", "typ": "strongroom-sealing-key+1"}
    wrapping_key = reader.hkdf(root_key_bytes, b"strongroom/v1/root-key/wrap", 32)
    wrapped = seal_jwe(header, SEALING_KEY.reveal(), wrapping_key)
    root_key = local.LocalRootKey("file:root.key", Secret(root_key_bytes))
    wrap = WrappedKey(KID, "file:root.key", wrapped, reader.check_value(root_key_bytes))
    assert keyring.unwrap(KeyringRows(KID, (wrap,), (KID,)), root_key).kids == {KID}


def test_the_reader_refuses_what_strongroom_refuses() -> None:
    moved = ROW | {"network": "polygon"}
    with pytest.raises(reader.FormatRefusal, match="identity-mismatch"):
        reader.open_text(sealed(), moved, KEYRING, reader.open_with_joserfc)
    with pytest.raises(IdentityMismatchError):
        opened(sealed(), Identity(IDENTITY.project_id, IDENTITY.credential_id, "polygon", IDENTITY.address))
    for damaged in unused_bits(sealed()):
        with pytest.raises(reader.FormatRefusal, match="sealed-text-corrupt"):
            reader.open_text(damaged, ROW, KEYRING, reader.open_with_jwcrypto)


def test_a_lenient_library_opens_a_text_whose_unused_bits_were_flipped() -> None:
    """Why parsing is our own: RFC 4648 lets a decoder ignore these bits, and one of the two oracles does."""
    text = sealed()
    lenient = 0
    for damaged in unused_bits(text):
        with pytest.raises(SealedTextCorruptError):
            opened(damaged)
        lenient += json.loads(reader.open_with_jwcrypto(damaged, PROJECT_KEY))["v"] == 1
    assert lenient >= 30
