"""Off-chain messages, raw messages and raw digests."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from solders.message import MessageV1, from_bytes_versioned, to_bytes_versioned
from solders.signature import Signature

from strongroom.errors import MalformedPayloadError, SignatureRefusedError, UnsupportedSigningError
from strongroom.networks.solana import message, offchain
from testbed.networks import solana_payloads
from testbed.networks.solana_payloads import OTHER, OWN, sign_message

ZEROS = "00" * 32
SIGNER_1 = "0116" + "16" * 31
DOMAIN = "0d3b730b9e889b4b661ed2a3ce191f68d37da7443206a182b946891e00000000"
A, B = bytes.fromhex("16" * 32), bytes.fromhex("21" * 32)


@pytest.mark.parametrize(
    ("text", "signers", "domain", "expected"),
    [
        ("Hello world", (A,), ZEROS, f"00{ZEROS}00{SIGNER_1}0b0048656c6c6f20776f726c64"),
        ("Hello world", (A, B), DOMAIN, f"00{DOMAIN}0002{'16' * 32}{'21' * 32}0b0048656c6c6f20776f726c64"),
        ("✌🏿cool", (A,), DOMAIN, f"00{DOMAIN}01{SIGNER_1}0b00e29c8cf09f8fbf636f6f6c"),
        ("a\nb", (A,), ZEROS, f"00{ZEROS}01{SIGNER_1}0300610a62"),
    ],
)
def test_messages_are_encoded_as_solana_kit_encodes_them(
    text: str, signers: tuple[bytes, ...], domain: str, expected: str
) -> None:
    """Made by @solana/kit 8.4.0's getOffchainMessageV0Encoder."""
    encoded = offchain.encode(text.encode(), signers, bytes.fromhex(domain))
    assert encoded.hex() == b"\xffsolana offchain".hex() + expected


@pytest.mark.parametrize(
    ("length", "signers", "format_"),
    [(1, 1, 0), (1147, 1, 0), (1148, 1, 2), (1115, 2, 0), (1116, 2, 2), (65450, 1, 2)],
)
def test_the_format_follows_from_length_and_content(length: int, signers: int, format_: int) -> None:
    keys = (A, B)[:signers]
    encoded = offchain.encode(b"x" * length, keys)
    assert encoded[49] == format_
    assert encoded[50] == signers
    utf8 = offchain.encode("é".encode() + b"x" * (length - 2), keys) if length > 1 else None
    assert utf8 is None or utf8[49] == (format_ or 1)


@pytest.mark.parametrize("text", [b"", b"\xff", b"\xc3", b"x" * 65451])
def test_what_is_no_text_or_too_long_is_malformed(text: bytes) -> None:
    with pytest.raises(MalformedPayloadError):
        offchain.encode(text, (A,))


@given(st.text(min_size=1, max_size=1300), st.binary(min_size=32, max_size=32))
def test_a_text_is_signed_behind_its_preamble(text: str, domain: bytes) -> None:
    if text.startswith("�"):
        return
    made = solana_payloads.prepared("message", text, application_domain=domain)
    signed = made.sign(solana_payloads.material())
    assert signed.message.endswith(text.encode())
    assert signed.message.startswith(offchain.SIGNING_DOMAIN + b"\0" + domain)
    assert signed.signature == bytes(OWN.sign_message(signed.message))
    assert made.digest == hashlib.sha256(signed.message).digest()
    assert not message.could_be(signed.message)
    assert made.replay_scope is None


def test_text_and_its_bytes_are_one_message() -> None:
    assert sign_message("añb") == sign_message("añb".encode())


def test_signers_are_named_in_their_order() -> None:
    signed = sign_message("hi", signers=[str(OTHER.pubkey()), str(OWN.pubkey())])
    assert signed.message[50:115] == b"\x02" + bytes(OTHER.pubkey()) + bytes(OWN.pubkey())
    assert sign_message("hi", signers=[str(OWN.pubkey())]) == sign_message("hi")
    assert signed.as_dict()["signature"] == str(Signature(signed.signature))


def test_signers_without_the_wallet_are_refused() -> None:
    with pytest.raises(SignatureRefusedError):
        sign_message("hi", signers=[str(OTHER.pubkey())])


@pytest.mark.parametrize(
    "options",
    [
        {"signers": []},
        {"signers": str(OWN.pubkey())},
        {"signers": [str(OWN.pubkey())] * 2},
        {"signers": ["x"]},
        {"signers": [None]},
        {"signers": [bytes([n, 1] * 16) for n in range(256)]},
        {"application_domain": b"short"},
        {"application_domain": None},
        {"application_domain": "0OIl"},
        {"format": "ascii"},
        {"format": 0},
        {"format": "raw", "signers": [str(OWN.pubkey())]},
        {"sighash": "ALL"},
    ],
)
def test_wrong_options_are_malformed(options: dict[str, object]) -> None:
    with pytest.raises(MalformedPayloadError):
        sign_message("hi", **options)


@pytest.mark.parametrize("payload", [None, 5, "", b"", ["hi"], {"text": "hi"}])
@pytest.mark.parametrize("options", [{}, {"format": "raw"}])
def test_what_is_no_message_is_malformed(payload: object, options: dict[str, str]) -> None:
    with pytest.raises(MalformedPayloadError):
        sign_message(payload, **options)


# --- raw -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"Sign in to example.org", "Войти".encode(), b"\0" * 32, b"\xff" * 40, b"\x01"])
def test_raw_bytes_are_signed_as_they_are(data: bytes) -> None:
    signed = sign_message(data, format="raw")
    assert signed.message == data
    assert signed.signature == bytes(OWN.sign_message(data))


@given(st.binary(min_size=1, max_size=36) | st.binary(min_size=1, max_size=3).map(lambda head: head + bytes(29)))
@example(b"\x80")
@example(b"\x81")
@example(b"\x80" + bytes(31))
def test_a_challenge_that_is_no_whole_transaction_is_signed(data: bytes) -> None:
    """A transaction's message has 69 bytes at least: its counts, an account that pays, a recent blockhash."""
    assert sign_message(data, format="raw").signature == bytes(OWN.sign_message(data))


@given(solana_payloads.messages())
def test_a_transaction_is_never_signed_as_a_message(raw: bytes) -> None:
    for options in ({}, {"format": "raw"}):
        with pytest.raises(SignatureRefusedError):
            sign_message(raw, **options)
    for other in (raw + b"x", raw[:-1]):
        assert not message.could_be(other)


@given(solana_payloads.messages_1())
def test_a_transaction_of_version_1_is_never_signed_as_a_message(made: MessageV1) -> None:
    raw = to_bytes_versioned(made)
    with pytest.raises(SignatureRefusedError):
        sign_message(raw, format="raw")
    with pytest.raises(UnsupportedSigningError):
        solana_payloads.prepared("transaction", raw)
    for other in (raw + b"x", raw[:-1]):
        assert not message.could_be(other)


@given(solana_payloads.messages() | solana_payloads.messages_1().map(to_bytes_versioned), st.data())
def test_what_solders_reads_as_a_whole_message_could_be_one(raw: bytes, data: st.DataObject) -> None:
    changed = bytearray(raw)
    for _ in range(data.draw(st.integers(0, 3))):
        changed[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = from_bytes_versioned(bytes(changed))
    except ValueError:
        return
    if read.account_keys and to_bytes_versioned(read) == bytes(changed):
        assert message.could_be(bytes(changed))


def test_a_transaction_that_only_a_lenient_reader_takes_is_not_signed_as_a_message() -> None:
    raw = to_bytes_versioned(solana_payloads.legacy(OWN).message)
    assert raw[3] < 0x80
    for data in (
        raw[:3] + bytes([raw[3] | 0x80, 0]) + raw[4:],  # a length in two bytes where one would do
        b"\0\0\0" + raw[3:],  # no signatures
        b"\x09\x09\x09" + raw[3:],
        raw[:4] + bytes(OWN.pubkey()) * raw[3] + raw[4 + 32 * raw[3] :],
    ):
        with pytest.raises(SignatureRefusedError):
            sign_message(data, format="raw")
        with pytest.raises(MalformedPayloadError):
            solana_payloads.prepared("transaction", data)


def test_an_offchain_message_is_not_signed_raw() -> None:
    with pytest.raises(SignatureRefusedError):
        sign_message(sign_message("hi").message, format="raw")


# --- raw digests, and what there is not ----------------------------------------------------------------------


def test_a_raw_digest_is_signed() -> None:
    digest = hashlib.sha256(b"x").digest()
    made = solana_payloads.prepared("digest", digest)
    assert made.digest == digest
    signed = made.sign(solana_payloads.material())
    assert signed.signature == bytes(OWN.sign_message(digest))
    assert made.intent.summary() == {"hash": digest.hex(), "opaque": "true"}


@pytest.mark.parametrize("payload", [b"", bytes(31), bytes(33), bytes(64), "00" * 32, None, 5])
def test_a_raw_digest_has_32_bytes(payload: object) -> None:
    with pytest.raises(MalformedPayloadError):
        solana_payloads.prepared("digest", payload)


@pytest.mark.parametrize("kind", ["typed-data", "authorization", "psbt"])
def test_other_kinds_are_unsupported(kind: str) -> None:
    with pytest.raises(UnsupportedSigningError):
        solana_payloads.prepared(kind, b"x")
