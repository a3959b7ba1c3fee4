"""docs/format.md says what the code does: its example is made again and opened, its numbers are those of the code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom import errors
from strongroom.crypto import jwe, keyring, sealing
from strongroom.records.key_material import Identity
from strongroom.records.keyring import KeyringRows, WrappedKey
from strongroom.records.vault_texts import PLACEHOLDERS, SEALED_PREFIX
from strongroom.rootkeys import local
from strongroom.secret import Secret
from testbed.sealing import example, reader
from testbed.sealing.samples import KEYS, KID, MATERIAL, sealed

DOCUMENT = example.DOCUMENT.read_text(encoding="utf-8")
EXAMPLE = example.documented()
OPENERS = pytest.mark.parametrize("open_jwe", [reader.open_with_joserfc, reader.open_with_jwcrypto])


def test_strongroom_makes_the_example_again_byte_for_byte() -> None:
    made = example.made()
    assert list(made) == list(EXAMPLE)
    for name, value in made.items():
        assert EXAMPLE[name] == value, name


@OPENERS
def test_a_reader_that_follows_the_document_opens_the_example(open_jwe: reader.OpenJwe) -> None:
    root_key = reader.read_root_key(EXAMPLE["root_key_text"])
    assert root_key.hex() == EXAMPLE["root_key"]
    assert reader.check_value(root_key) == EXAMPLE["check_value"]
    assert reader.hkdf(root_key, b"strongroom/v1/root-key/wrap", 32).hex() == EXAMPLE["wrapping_key"]
    sealing_key = reader.unwrap(EXAMPLE["kid"], EXAMPLE["wrapped"], root_key, open_jwe)
    assert sealing_key.hex() == EXAMPLE["sealing_key"]
    project_key = reader.project_key(sealing_key, EXAMPLE["row"]["project_id"])
    assert project_key.hex() == EXAMPLE["project_key"]
    payload = reader.open_text(EXAMPLE["sealed_text"], EXAMPLE["row"], {EXAMPLE["kid"]: sealing_key}, open_jwe)
    assert payload == json.loads(EXAMPLE["payload"])


def test_strongroom_opens_the_example() -> None:
    root_key = local.LocalRootKey("file:root.key", local.parse_text(Secret.from_text(EXAMPLE["root_key_text"]), "It"))
    wrap = WrappedKey(EXAMPLE["kid"], root_key.uri, EXAMPLE["wrapped"], EXAMPLE["check_value"])
    keys = keyring.unwrap(KeyringRows(wrap.kid, (wrap,), (wrap.kid,)), root_key)
    row = EXAMPLE["row"]
    identity = Identity(UUID(row["project_id"]), UUID(row["credential_id"]), row["network"], row["wallet_address"])
    material = sealing.open_sealed(EXAMPLE["sealed_text"], identity, keys)
    assert material.private_key.reveal().hex() == json.loads(EXAMPLE["payload"])["private_key"]


def test_the_example_cannot_be_taken_for_a_real_key() -> None:
    assert EXAMPLE["root_key"] == bytes(range(32)).hex()
    assert json.loads(EXAMPLE["payload"])["mnemonic"] == example.ABANDON
    assert "Never use them" in DOCUMENT


def test_header_members_stand_in_the_documented_order() -> None:
    section = DOCUMENT.partition("## 5.")[2].partition("**The first forty")[0]
    documented = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert documented == list(json.loads(EXAMPLE["header"])) == list(jwe.parse(sealed()).header)


def test_payload_members_stand_in_the_documented_order() -> None:
    section = DOCUMENT.partition("### Payload")[2].partition("## 6.")[0]
    documented = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    parsed = jwe.parse(sealed())
    payload = jwe.decrypt(parsed, KEYS.project_key(KID, UUID(parsed.header["project"]))).reveal_text()
    assert MATERIAL.passphrase is not None
    assert documented == list(json.loads(payload))
    assert MATERIAL.passphrase.reveal_text() in payload, "characters outside of ASCII stand as they are"
    assert payload == json.dumps(json.loads(payload), separators=(",", ":"), ensure_ascii=False)


def test_what_sealed_texts_begin_with_follows_from_the_header() -> None:
    """Base64 writes 6 bits a character; what does not depend on the kid is the text of the first member's name."""
    header = jwe.decode_segment(sealed().split(".")[0])
    fixed = header[: header.index(KID.encode())]
    assert fixed == json.dumps({"kid": ""}, separators=(",", ":")).encode()[:-2]
    assert jwe.encode_segment(fixed)[: len(fixed) * 8 // 6] == SEALED_PREFIX
    assert sealed().startswith(SEALED_PREFIX)


def test_documented_limits_and_texts_are_those_of_the_code() -> None:
    assert f"{jwe.MAX_TEXT_BYTES:,} characters" in DOCUMENT
    assert f"begins with `{SEALED_PREFIX}`" in DOCUMENT
    assert f"`{sealing.TYPE}`" in DOCUMENT
    assert len(EXAMPLE["root_key_text"]) == 70
    assert len(EXAMPLE["kid"]) == len(EXAMPLE["check_value"]) == 22
    for placeholder in PLACEHOLDERS - {""}:
        assert f"`{placeholder}`" in DOCUMENT


def test_documented_error_codes_exist() -> None:
    section = (
        DOCUMENT.partition("## 6.")[2].partition("## 7.")[0] + DOCUMENT.partition("## 4.")[2].partition("## 5.")[0]
    )
    codes = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", section)) - {"strongroom-sealing-key"}
    assert codes == {
        "derivation-mismatch",
        "identity-mismatch",
        "keyring-corrupt",
        "not-sealed",
        "root-key-mismatch",
        "sealed-text-corrupt",
        "unknown-sealing-key",
    }
    assert codes <= {kind.code for kind in errors.all_errors()}


@given(st.text(max_size=40))
def test_the_header_escapes_as_documented(value: str) -> None:
    short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}

    def escape(character: str) -> str:
        if character in short:
            return short[character]
        if " " <= character <= "~":
            return character
        units = character.encode("utf-16-be", "surrogatepass").hex()
        return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))

    assert jwe.encode_header({"kid": value}) == f'{{"kid":"{"".join(map(escape, value))}"}}'.encode()


def test_every_test_that_the_threat_model_names_exists() -> None:
    root = Path(__file__).parents[3]
    model = (root / "docs" / "threat-model.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", model)
    assert len(named) >= 15
    for file, test in named:
        assert (root / file).is_file(), file
        assert not test or f"def {test}(" in (root / file).read_text(encoding="utf-8"), test
