"""Published vectors through the very calls that seal and open: RFC 7516, RFC 7520, RFC 5869, Wycheproof."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from joserfc.jwk import RSAKey

from strongroom.crypto import jwe, kdf
from strongroom.errors import NotSealedError
from strongroom.secret import Secret
from testbed.sealing import reader
from testbed.sealing.samples import opened

KEK = Secret(bytes(range(32)))


def bytes_of(text: str) -> bytes:
    """What a published vector writes in base64url."""
    return reader.from_base64url(text)


def wycheproof(vectors: Path, name: str, **group: int) -> Iterator[dict[str, Any]]:
    document = json.loads((vectors / "wycheproof" / name).read_text(encoding="utf-8"))
    for tests in document["testGroups"]:
        if all(tests[key] == value for key, value in group.items()):
            for test in tests["tests"]:
                yield {key: bytes.fromhex(v) if key in _HEX else v for key, v in test.items()}


_HEX = frozenset({"key", "iv", "aad", "msg", "ct", "tag", "ikm", "salt", "info", "okm"})


def decrypt(vector: dict[str, Any], wrapped_key: bytes, key: Secret) -> bytes:
    """The one call that opens: jwe.decrypt."""
    parsed = jwe.Parsed({}, vector["aad"], wrapped_key, vector["iv"], vector["ct"] + vector["tag"])
    return jwe.decrypt(parsed, key).reveal()


def test_wycheproof_aes_gcm_opens_what_is_valid_and_refuses_the_rest(vectors: Path) -> None:
    ran: Counter[str] = Counter()
    for vector in wycheproof(vectors, "aes_gcm_test.json", keySize=256, ivSize=96, tagSize=128):
        wrapped_key = aes_key_wrap(KEK.reveal(), vector["key"])
        ran[vector["result"]] += 1
        if vector["result"] == "valid":
            assert decrypt(vector, wrapped_key, KEK) == vector["msg"], vector["tcId"]
            sealed = AESGCM(vector["key"]).encrypt(vector["iv"], vector["msg"], vector["aad"])
            assert sealed == vector["ct"] + vector["tag"], vector["tcId"]
        else:
            with pytest.raises(jwe.JweError):
                decrypt(vector, wrapped_key, KEK)
    assert ran == {"valid": 39, "invalid": 27}


def test_wycheproof_aes_key_wrap_unwraps_what_is_valid_and_refuses_the_rest(vectors: Path) -> None:
    ran: Counter[str] = Counter()
    for vector in wycheproof(vectors, "aes_wrap_test.json", keySize=256):
        parsed = jwe.Parsed({}, b"", vector["ct"], bytes(12), bytes(16))
        ran[vector["result"]] += 1
        if vector["result"] == "valid":
            assert aes_key_unwrap(vector["key"], vector["ct"]) == vector["msg"], vector["tcId"]
            assert aes_key_wrap(vector["key"], vector["msg"]) == vector["ct"], vector["tcId"]
        else:  # `acceptable` is a wrapped key of eight bytes, which RFC 3394 has no form for
            with pytest.raises(jwe.JweError):
                jwe.decrypt(parsed, Secret(vector["key"]))
        if vector["result"] == "valid" and len(vector["msg"]) == 32:
            ran["opened"] += 1
            content = AESGCM(vector["msg"]).encrypt(bytes(12), b"content", b"header")
            opening = jwe.Parsed({}, b"header", vector["ct"], bytes(12), content)
            assert jwe.decrypt(opening, Secret(vector["key"])).reveal() == b"content"
    assert ran == {"valid": 13, "acceptable": 1, "invalid": 54, "opened": 4}


def test_wycheproof_hkdf_without_salt_is_our_derivation(vectors: Path) -> None:
    ran: Counter[str] = Counter()
    for vector in wycheproof(vectors, "hkdf_sha256_test.json"):
        if vector["result"] != "valid":
            continue
        okm = reader.hkdf(vector["ikm"], vector["info"], vector["size"], vector["salt"])
        assert okm == vector["okm"], vector["tcId"]
        ran["reader"] += 1
        if not vector["salt"] and vector["info"].isascii():
            derived = kdf.derive(Secret(vector["ikm"]), vector["info"].decode(), vector["size"])
            assert derived.reveal() == vector["okm"], vector["tcId"]
            ran["ours"] += 1
    assert ran["reader"] == 83
    assert ran["ours"] >= 10


def test_rfc_5869_case_3_is_our_derivation() -> None:
    okm = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    assert kdf.derive(Secret(b"\x0b" * 22), "", 42).reveal().hex() == okm


def test_rfc_3394_256_bits_under_256_bits() -> None:
    key = bytes(range(32))
    content_key = bytes.fromhex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f")
    wrapped = bytes.fromhex("28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21")
    assert aes_key_wrap(key, content_key) == wrapped
    content = AESGCM(content_key).encrypt(bytes(12), b"content", b"")
    assert jwe.decrypt(jwe.Parsed({}, b"", wrapped, bytes(12), content), Secret(key)).reveal() == b"content"


def rfc7520(vectors: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted((vectors / "rfc7520_jwe").glob("*.json")):
        yield file.name.partition(".")[0], json.loads(file.read_text(encoding="utf-8"))


def test_rfc_7520_gcm_content_opens_with_its_content_key(vectors: Path) -> None:
    ran = []
    for section, document in rfc7520(vectors):
        if not str(document["input"].get("enc")).endswith("GCM"):
            continue
        content, generated = document["encrypting_content"], document["generated"]
        key = generated.get("cek") or document["input"]["key"]["k"]
        aad = content.get("protected_b64u", "").encode()
        if "aad_b64u" in generated:
            aad += b"." + generated["aad_b64u"].encode()
        vector = {
            "aad": aad,
            "iv": bytes_of(generated["iv"]),
            "ct": bytes_of(content["ciphertext"]),
            "tag": bytes_of(content["tag"]),
        }
        plaintext = decrypt(vector, aes_key_wrap(KEK.reveal(), bytes_of(key)), KEK)
        if "zip" not in document["input"]:
            assert plaintext.decode() == document["input"]["plaintext"]
        sealed = AESGCM(bytes_of(key)).encrypt(vector["iv"], plaintext, aad)
        assert sealed == vector["ct"] + vector["tag"]
        ran.append(section)
    assert {"5_2", "5_4", "5_6", "5_8", "5_9", "5_10", "5_11", "5_12"} <= set(ran)


def test_rfc_7520_key_wrapping_with_gcm_opens_whole(vectors: Path) -> None:
    ran = []
    for section, document in rfc7520(vectors):
        if document["input"].get("alg") != "A128KW" or document["input"].get("enc") != "A128GCM":
            continue
        key, content_key = bytes_of(document["input"]["key"]["k"]), bytes_of(document["generated"]["cek"])
        wrapped = bytes_of(document["encrypting_key"]["encrypted_key"])
        assert aes_key_wrap(key, content_key) == wrapped
        if section == "5_8":
            protected, _, nonce, ciphertext, tag = document["output"]["compact"].split(".")
            parsed = jwe.Parsed({}, protected.encode(), wrapped, bytes_of(nonce), bytes_of(ciphertext) + bytes_of(tag))
            assert jwe.decrypt(parsed, Secret(key)).reveal().decode() == document["input"]["plaintext"]
        ran.append(section)
    assert set(ran) >= {"5_8", "5_9", "5_10", "5_11", "5_12"}


def test_every_jwe_of_rfc_7520_is_refused_as_a_whole(vectors: Path) -> None:
    refused = 0
    for _, document in rfc7520(vectors):
        for output in document["output"].values():
            text = output if isinstance(output, str) else json.dumps(output)
            with pytest.raises(jwe.JweError):
                jwe.parse(text)
            with pytest.raises(NotSealedError):
                opened(text)
            refused += 1
    assert refused >= 30


def test_every_segment_of_rfc_7520_is_canonical_base64url(vectors: Path) -> None:
    decoded = 0
    for _, document in rfc7520(vectors):
        for segment in document["output"].get("compact", "").split("."):
            assert jwe.encode_segment(jwe.decode_segment(segment)) == segment
            decoded += 1
    assert decoded >= 45


def rfc7516(vectors: Path) -> dict[str, dict[str, Any]]:
    examples = json.loads((vectors / "rfc7516" / "rfc7516_appendix_a.json").read_text(encoding="utf-8"))
    return {example["rfc7516"]: example for example in examples}


def test_every_jwe_of_rfc_7516_is_refused_as_a_whole(vectors: Path) -> None:
    examples = rfc7516(vectors)
    assert set(examples) == {"A.1", "A.2", "A.3", "A.4", "A.5"}
    for example in examples.values():
        with pytest.raises(jwe.JweError):
            jwe.parse(example["jwe"])
        with pytest.raises(NotSealedError):
            opened(example["jwe"])


def test_rfc_7516_a_1_content_opens(vectors: Path) -> None:
    example = rfc7516(vectors)["A.1"]
    protected, encrypted_key, nonce, ciphertext, tag = example["jwe"].split(".")
    private_key = RSAKey.import_key(example["key"]).private_key
    assert private_key is not None
    content_key = private_key.decrypt(bytes_of(encrypted_key), OAEP(MGF1(SHA1()), SHA1(), None))
    vector = {"aad": protected.encode(), "iv": bytes_of(nonce), "ct": bytes_of(ciphertext), "tag": bytes_of(tag)}
    plaintext = decrypt(vector, aes_key_wrap(KEK.reveal(), content_key), KEK)
    assert plaintext == bytes_of(example["plaintext_b64u"])


def test_rfc_7516_a_3_key_unwraps(vectors: Path) -> None:
    example = rfc7516(vectors)["A.3"]
    protected, wrapped, nonce, ciphertext, tag = example["jwe"].split(".")
    content_key = aes_key_unwrap(bytes_of(example["key"]["k"]), bytes_of(wrapped))
    bits = (len(protected) * 8).to_bytes(8)
    authenticated = protected.encode() + bytes_of(nonce) + bytes_of(ciphertext) + bits
    assert hmac.new(content_key[:16], authenticated, hashlib.sha256).digest()[:16] == bytes_of(tag)
