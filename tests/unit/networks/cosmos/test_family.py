from __future__ import annotations

import re

import pytest
from bip_utils import (
    AtomAddrEncoder,
    Bech32Encoder,
    Bip32Slip10Secp256k1,
    Bip39SeedGenerator,
    Bip44Changes,
    Bip44Coins,
    InjAddrEncoder,
    Secp256k1PrivateKey,
)
from bip_utils import Bip44 as BipUtilsBip44
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.crypto import phrase_search
from strongroom.errors import InvalidAddressError, InvalidPrivateKeyError
from strongroom.networks import TABLE
from strongroom.networks.cosmos.chain import CosmosChain
from strongroom.networks.cosmos.family import Cosmos
from strongroom.ports.network import WatchOnlyNetwork
from strongroom.secret import Secret
from testbed.harness.sizes import examples
from testbed.networks.known import ORDER, keys, passphrases, phrase, phrases

NETWORKS = [network for network in TABLE if isinstance(network, Cosmos)]
EVERY = pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
ADDRESSES = {
    "cosmos": ("cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4", "cosmos1jrkmdcwgq94uaamx6zax2luewlhf7u4kucx3kz"),
    "osmosis": ("osmo19rl4cm2hmr8afy4kldpxz3fka4jguq0a5m7df8", "osmo1jrkmdcwgq94uaamx6zax2luewlhf7u4k5r4pqs"),
    "celestia": (
        "celestia19rl4cm2hmr8afy4kldpxz3fka4jguq0ad2ud9c",
        "celestia1jrkmdcwgq94uaamx6zax2luewlhf7u4kdjhpv0",
    ),
    "dydx": ("dydx19rl4cm2hmr8afy4kldpxz3fka4jguq0a4erelz", "dydx1jrkmdcwgq94uaamx6zax2luewlhf7u4k4pg4k4"),
    "noble": ("noble19rl4cm2hmr8afy4kldpxz3fka4jguq0a5rc48m", "noble1jrkmdcwgq94uaamx6zax2luewlhf7u4k5mnewv"),
    "neutron": ("neutron19rl4cm2hmr8afy4kldpxz3fka4jguq0aclyl9j", "neutron1jrkmdcwgq94uaamx6zax2luewlhf7u4kc80nv9"),
    "axelar": ("axelar19rl4cm2hmr8afy4kldpxz3fka4jguq0acwm455", "axelar1jrkmdcwgq94uaamx6zax2luewlhf7u4kcksear"),
    "sei": ("sei19rl4cm2hmr8afy4kldpxz3fka4jguq0a3vute5", "sei1jrkmdcwgq94uaamx6zax2luewlhf7u4k35h8sr"),
    "stride": ("stride19rl4cm2hmr8afy4kldpxz3fka4jguq0altdpte", "stride1jrkmdcwgq94uaamx6zax2luewlhf7u4klnxdzw"),
    "akash": ("akash19rl4cm2hmr8afy4kldpxz3fka4jguq0a3mq6x0", "akash1jrkmdcwgq94uaamx6zax2luewlhf7u4k3rtk0c"),
    "kava": ("kava1fzgm3840v4xwme059mfnx9rc5qgzl0enq7qgac", "kava1uunhkf3jfpk6rtg4s72ttvhxmje4rdyygr4g8r"),
    "terra": ("terra1amdttz2937a3dytmxmkany53pp6ma6dy4vsllv", "terra1lpywxkky22stctm9yzn5quwkr9fnxu3atqk2ax"),
    "secret": ("secret1gkle2qetd47g4qlruxu8kx4m97875t66qsgr0p", "secret1f955dd4z2ugeenxksglm06v6dv6khqsfykxgpd"),
    "thorchain": ("thor1gm00vwsfcp48enm4uv9e5dhm37jtd0ye27wrx0", "thor1lq2ufla82u5s85gyhe422w6mt02hrxf53q9g5j"),
    "injective": ("inj1npvwllfr9dqr8erajqqr6s0vxnk2ak55re90dz", "inj1d7ky6xxfzg6rh7r05uzfxexafepy4wwqp4z8h8"),
}
"""At index 0 and 1 of the standard phrase; wallet-core computed them too."""
COINS = {
    "cosmos": Bip44Coins.COSMOS,
    "osmosis": Bip44Coins.OSMOSIS,
    "celestia": Bip44Coins.CELESTIA,
    "dydx": Bip44Coins.DYDX,
    "neutron": Bip44Coins.NEUTRON,
    "axelar": Bip44Coins.AXELAR,
    "akash": Bip44Coins.AKASH_NETWORK,
    "kava": Bip44Coins.KAVA,
    "terra": Bip44Coins.TERRA,
    "secret": Bip44Coins.SECRET_NETWORK_NEW,
    "injective": Bip44Coins.INJECTIVE,
}
OPERATOR = "cosmosvaloper19rl4cm2hmr8afy4kldpxz3fka4jguq0ae5egnx"
COSMOS, INJECTIVE = TABLE.get("cosmos"), TABLE.get("injective")
KEY = "c4a48e2fce1481cd3294b4490f6678090ea98d3d0e5cd984558ab0968741b104"
SLOW = settings(max_examples=examples(25), deadline=None)


def test_the_fifteen_networks_are_there() -> None:
    assert [network.name for network in NETWORKS] == list(ADDRESSES)


@EVERY
def test_wallets_of_the_chain_show_the_first_addresses(network: Cosmos) -> None:
    for index, address in enumerate(ADDRESSES[network.name]):
        key = network.derive(phrase(), "bip44", network.path("bip44", index)).private_key
        assert network.public_half(key, "bip44").address == address
        assert network.parse_address(address) == address
        assert network.parse_address(address.upper()) == address


@SLOW
@given(phrases(), passphrases(), st.integers(0, 2**31 - 1), st.sampled_from(sorted(COINS)))
def test_addresses_are_those_of_bip_utils(words: str, passphrase: str, index: int, name: str) -> None:
    network = TABLE.get(name)
    seed = Bip39SeedGenerator(words).Generate(passphrase)
    below = BipUtilsBip44.FromSeed(seed, COINS[name]).Purpose().Coin().Account(0).Change(Bip44Changes.CHAIN_EXT)
    key = network.derive(phrase(words, passphrase), "bip44", network.path("bip44", index)).private_key
    assert network.public_half(key, "bip44").address == below.AddressIndex(index).PublicKey().ToAddress()


@SLOW
@given(keys(), st.sampled_from(NETWORKS))
def test_a_bare_key_has_the_address_of_bip_utils(key: bytes, network: Cosmos) -> None:
    public = Secp256k1PrivateKey.FromBytes(key).PublicKey()
    expected = (
        InjAddrEncoder.EncodeKey(public)
        if network.name == "injective"
        else AtomAddrEncoder.EncodeKey(public, hrp=network.hrp)
    )
    half = network.public_half(Secret(key), "bip44")
    assert half.address == expected
    assert half.public_key == public.RawCompressed().ToHex()


def test_injective_is_the_address_of_the_evm_in_other_letters() -> None:
    evm = TABLE.get("ethereum").public_half(Secret(bytes.fromhex(KEY)), "bip44").address
    ours = INJECTIVE.public_half(Secret(bytes.fromhex(KEY)), "bip44").address
    assert ours == Bech32Encoder.Encode("inj", bytes.fromhex(evm[2:]))


@EVERY
def test_an_xpub_derives_the_addresses(network: Cosmos) -> None:
    assert isinstance(network, WatchOnlyNetwork)
    template = f"m/44'/{network.coin_type}'/0'/0/{{index}}"
    branch = network.watched(phrase(), "bip44", template)
    assert (branch.path, branch.slip132, branch.descriptor) == (f"m/44'/{network.coin_type}'/0'", None, None)
    node = Bip32Slip10Secp256k1.FromExtendedKey(branch.xpub).ChildKey(0).ChildKey(1)
    assert network.watched_address(branch, "bip44", template.format(index=1)) == ADDRESSES[network.name][1]
    if network.name != "injective":
        encoded = AtomAddrEncoder.EncodeKey(node.PublicKey().KeyObject(), hrp=network.hrp)
        assert encoded == ADDRESSES[network.name][1]


@pytest.mark.parametrize("name", [network.name for network in NETWORKS if network.coin_type != 118])
def test_keys_are_found_where_wallets_of_the_chain_had_them_before(name: str) -> None:
    network = TABLE.get(name)
    assert isinstance(network, Cosmos)
    before = TABLE.get("cosmos").derive(phrase(), "bip44", "m/44'/118'/2'/0/0").private_key
    found = phrase_search.find(network, phrase(), network.public_half(before, "bip44").address).material
    assert found is not None
    assert found.path == "m/44'/118'/2'/0/0"
    assert phrase_search.find(network, phrase(), ADDRESSES[name][0]).tried == 1


# --- texts -------------------------------------------------------------------------------------------------------


@given(keys(), st.sampled_from(NETWORKS))
def test_what_is_exported_is_imported(key: bytes, network: Cosmos) -> None:
    text = network.format_private_key(Secret(key))
    assert text.reveal_text() == key.hex()
    assert network.parse_private_key(text).reveal() == key
    assert network.parse_private_key(Secret.from_text("0x" + key.hex())).reveal() == key


@pytest.mark.parametrize("text", ["", KEY[:-1], KEY + "00", f"[{KEY}]", OPERATOR, ADDRESSES["cosmos"][0], KEY + "\0"])
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        COSMOS.parse_private_key(Secret.from_text(text))


@pytest.mark.parametrize("number", [0, ORDER, 2**256 - 1])
def test_a_key_outside_the_range_of_the_curve_is_refused(number: int) -> None:
    key = Secret(number.to_bytes(32))
    for refuse in (COSMOS.parse_private_key, INJECTIVE.parse_private_key):
        with pytest.raises(InvalidPrivateKeyError):
            refuse(Secret.from_text(key.reveal().hex()))
    with pytest.raises(InvalidPrivateKeyError):
        COSMOS.public_half(key, "bip44")


# --- addresses ---------------------------------------------------------------------------------------------------


@EVERY
@given(st.binary(min_size=20, max_size=20) | st.binary(min_size=32, max_size=32))
def test_accounts_and_contracts_are_read(network: Cosmos, data: bytes) -> None:
    text = Bech32Encoder.Encode(network.hrp, data)
    assert network.parse_address(text) == text
    assert network.parse_address(text.upper()) == text
    assert re.fullmatch(network.address_space.shape, text)


@EVERY
@given(st.binary(min_size=20, max_size=20))
def test_the_operator_of_a_validator_is_read_as_a_destination(network: Cosmos, data: bytes) -> None:
    text = Bech32Encoder.Encode("thorv" if network.name == "thorchain" else f"{network.hrp}valoper", data)
    assert network.parse_address(text) == text
    assert re.fullmatch(network.address_space.shape, text)


def test_no_key_derives_the_address_of_an_operator() -> None:
    account = ADDRESSES["cosmos"][0]
    assert COSMOS.parse_address(OPERATOR) == OPERATOR
    assert COSMOS.public_half(COSMOS.derive(phrase(), "bip44").private_key, "bip44").address == account != OPERATOR


@pytest.mark.parametrize("size", [0, 1, 19, 21, 31, 33, 36])
def test_bytes_of_another_number_are_no_address(size: int) -> None:
    for prefix in ("cosmos", "cosmosvaloper"):
        with pytest.raises(InvalidAddressError):
            COSMOS.parse_address(Bech32Encoder.Encode(prefix, bytes(size)) if size else f"{prefix}1qqqqqq")


def test_an_operator_of_32_bytes_is_no_address() -> None:
    with pytest.raises(InvalidAddressError):
        COSMOS.parse_address(Bech32Encoder.Encode("cosmosvaloper", bytes(32)))


@pytest.mark.parametrize(
    ("prefix", "said"),
    [
        ("cosmosvalcons", "consensus"),
        ("cosmospub", "public key"),
        ("cosmosvaloperpub", "public key"),
        ("cosmosvalconspub", "public key"),
    ],
)
def test_what_belongs_to_a_validator_or_is_a_public_key_is_refused_by_name(prefix: str, said: str) -> None:
    text = Bech32Encoder.Encode(prefix, bytes(20))
    for each in (text, text.upper()):
        with pytest.raises(InvalidAddressError, match=said):
            COSMOS.parse_address(each)


@EVERY
def test_an_address_of_another_chain_is_refused(network: Cosmos) -> None:
    for name, (address, _) in ADDRESSES.items():
        if name != network.name:
            with pytest.raises(InvalidAddressError) as caught:
                network.parse_address(address)
            assert address not in str(caught.value)


ADDRESS = ADDRESSES["cosmos"][0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cosmos",
        "cosmos1",
        ADDRESS[:-1],
        ADDRESS + "q",
        ADDRESS[:-1] + "q",
        ADDRESS.title(),
        " " + ADDRESS,
        ADDRESS + "\n",
        ADDRESS + "\0",
        ADDRESS.replace("1", "l", 1),
        ADDRESS.replace("cosmos1", "cosmos11"),
        "cosmos1" + "q" * 1_000_000,
        "cosmos1\ud800",
        "0x9858EfFD232B4033E47d90003D41EC34EcaEda94",
        "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu",
        KEY,
    ],
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        COSMOS.parse_address(text)


# --- chain ids ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chain_id", "caip2"),
    [  # the namespace's own test cases
        ("cosmoshub-3", "cosmos:cosmoshub-3"),
        ("Binance-Chain-Tigris", "cosmos:Binance-Chain-Tigris"),
        ("x", "cosmos:x"),
        ("hash-", "cosmos:hash-"),
        ("hashed", "cosmos:hashed"),
        ("hashed-", "cosmos:hashed-c904589232422def"),
        ("hashed-123", "cosmos:hashed-99df5cd68192b33e"),
        ("123456789012345678901234567890123456789012345678", "cosmos:hashed-0204c92a0388779d"),
        (" ", "cosmos:hashed-36a9e7f1c95b82ff"),
        ("wonderland🧝‍♂️", "cosmos:hashed-843d2fc87f40eeb9"),
    ],
)
def test_the_caip2_id_of_a_chain_id(chain_id: str, caip2: str) -> None:
    assert CosmosChain("any", chain_id, "any").caip2 == caip2
