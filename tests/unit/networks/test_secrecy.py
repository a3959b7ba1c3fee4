"""While an error is raised, no live frame holds plaintext; no message quotes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.networks import TABLE
from strongroom.networks.codecs import base58
from strongroom.networks.curves.extended_key import ExtendedKey
from strongroom.ports.network import Network
from strongroom.secret import Secret
from testbed.failure_report import assert_hides, failure_report
from testbed.networks.known import ORDER, keys, phrase

NETWORKS = pytest.mark.parametrize("network", list(TABLE), ids=lambda network: network.name)
WINNER = "legal winner thank year wave sausage worth useful legal winner thank yellow"
KEY = "1ab42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b727"
XPRV = "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"


@NETWORKS
@pytest.mark.parametrize(
    "text",
    [
        KEY[:-1],
        KEY + "ab",
        KEY[:-1] + "é",
        f"0x{KEY},",
        " ".join(("satoshi", "vintage", "kangaroo")),
        XPRV,
        base58.encode_check(b"\x80" + bytes.fromhex(KEY))[:-1] + "1",
        base58.encode_check(b"\x81" + bytes.fromhex(KEY)),
        base58.encode_check(b"\x80" + bytes.fromhex(KEY) + b"\1")[:-1] + "1",
        bytes.fromhex(KEY + KEY).hex(),
        base58.encode(bytes.fromhex(KEY + KEY)),
    ],
)
def test_a_refused_key_text_is_not_shown(network: Network, text: str) -> None:
    secret = Secret.from_text(text)
    report = failure_report(network.parse_private_key, secret)
    assert_hides(report, text.encode())
    assert_hides(report, bytes.fromhex(KEY))


@pytest.mark.parametrize(("end", "scheme"), [(b"", "bip84"), (b"\1", "p2pkh-uncompressed")])
def test_a_wif_that_a_scheme_is_not_for_is_not_shown(end: bytes, scheme: str) -> None:
    text = base58.encode_check(b"\x80" + bytes.fromhex(KEY) + end)
    report = failure_report(TABLE.get("bitcoin").scheme_of_key, Secret.from_text(text), scheme)
    assert_hides(report, text.encode())
    assert_hides(report, bytes.fromhex(KEY))


@NETWORKS
@given(st.binary(min_size=8, max_size=300))
def test_no_refused_bytes_are_shown(network: Network, data: bytes) -> None:
    secret = Secret(b"\xff" + data)  # never UTF-8
    assert_hides(failure_report(network.parse_private_key, secret), secret.reveal())


@pytest.mark.parametrize("name", ["ethereum", "bitcoin", "bitcoin-testnet"])
@pytest.mark.parametrize("number", [ORDER, ORDER + 12345, 2**256 - 987654321])
def test_a_key_out_of_range_is_not_shown(name: str, number: int) -> None:
    network, key = TABLE.get(name), Secret(number.to_bytes(32))
    for report in (
        failure_report(network.parse_private_key, Secret.from_text(key.reveal().hex())),
        failure_report(network.format_private_key, key),
        *(failure_report(network.public_half, key, network.scheme(variant)) for variant in network.variants),
    ):
        assert_hides(report, key.reveal())


@NETWORKS
def test_a_key_of_another_length_is_not_shown(network: Network) -> None:
    key = Secret(bytes.fromhex(KEY)[:-1])
    assert_hides(failure_report(network.format_private_key, key), key.reveal())
    for variant in network.variants:
        assert_hides(failure_report(network.public_half, key, network.scheme(variant)), key.reveal())


@NETWORKS
@pytest.mark.parametrize("path", ["m/x", "m/2147483648", "no path at all"])
def test_a_refused_path_shows_nothing_of_the_phrase(network: Network, path: str) -> None:
    made = phrase(WINNER, "correct horse battery staple")
    made.seed()
    report = failure_report(network.derive, made, network.scheme(None), path)
    assert made.passphrase is not None
    for secret in (made.mnemonic, made.passphrase, made.seed(), made.entropy()):
        assert_hides(report, secret.reveal())


def test_an_unhardened_path_on_ed25519_shows_nothing_of_the_phrase() -> None:
    made = phrase(WINNER, "correct horse battery staple")
    report = failure_report(TABLE.get("solana").derive, made, "slip10", "m/44'/501'/0'/0")
    assert made.passphrase is not None
    for secret in (made.mnemonic, made.passphrase, made.seed()):
        assert_hides(report, secret.reveal())


@pytest.mark.parametrize("text", [XPRV[:-1], XPRV[:-1] + "j", XPRV + " "])
def test_a_refused_extended_key_is_not_shown(text: str) -> None:
    assert_hides(failure_report(ExtendedKey.parse, Secret.from_text(text)), text.encode())


@NETWORKS
@given(keys())
def test_an_exported_key_is_imported_by_its_network(network: Network, key: bytes) -> None:
    assert network.parse_private_key(network.format_private_key(Secret(key))).reveal() == key
