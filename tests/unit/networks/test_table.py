from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from strongroom.errors import UnknownNetworkError, UnknownVariantError
from strongroom.networks import TABLE, NetworkTable
from strongroom.networks.bitcoin.family import Bitcoin
from strongroom.networks.evm.family import Evm
from strongroom.networks.solana.family import Solana
from strongroom.ports.network import Network, Networks
from strongroom.secret import Secret
from testbed.networks.known import phrase

CAIP2 = {
    "ethereum": "eip155:1",
    "polygon": "eip155:137",
    "avalanche": "eip155:43114",
    "optimism": "eip155:10",
    "arbitrum": "eip155:42161",
    "base": "eip155:8453",
    "zksync": "eip155:324",
    "mantle": "eip155:5000",
    "bnb": "eip155:56",
    "ethereum-sepolia": "eip155:11155111",
    "linea": "eip155:59144",
    "scroll": "eip155:534352",
    "blast": "eip155:81457",
    "celo": "eip155:42220",
    "gnosis": "eip155:100",
    "sonic": "eip155:146",
    "berachain": "eip155:80094",
    "unichain": "eip155:130",
    "ink": "eip155:57073",
    "sei-evm": "eip155:1329",
    "hyperevm": "eip155:999",
    "ronin": "eip155:2020",
    "moonbeam": "eip155:1284",
    "cronos": "eip155:25",
    "kava-evm": "eip155:2222",
    "monad": "eip155:143",
    "plasma": "eip155:9745",
    "abstract": "eip155:2741",
    "world-chain": "eip155:480",
    "zora": "eip155:7777777",
    "opbnb": "eip155:204",
    "metis": "eip155:1088",
    "flare": "eip155:14",
    "rootstock": "eip155:30",
    "soneium": "eip155:1868",
    "apechain": "eip155:33139",
    "arbitrum-nova": "eip155:42170",
    "katana": "eip155:747474",
    "ethereum-holesky": "eip155:17000",
    "ethereum-hoodi": "eip155:560048",
    "base-sepolia": "eip155:84532",
    "arbitrum-sepolia": "eip155:421614",
    "optimism-sepolia": "eip155:11155420",
    "polygon-amoy": "eip155:80002",
    "avalanche-fuji": "eip155:43113",
    "bnb-testnet": "eip155:97",
    "linea-sepolia": "eip155:59141",
    "scroll-sepolia": "eip155:534351",
    "zksync-sepolia": "eip155:300",
    "mantle-sepolia": "eip155:5003",
    "celo-sepolia": "eip155:11142220",
    "gnosis-chiado": "eip155:10200",
    "berachain-bepolia": "eip155:80069",
    "unichain-sepolia": "eip155:1301",
    "ink-sepolia": "eip155:763373",
    "sei-evm-testnet": "eip155:1328",
    "hyperevm-testnet": "eip155:998",
    "monad-testnet": "eip155:10143",
    "abstract-testnet": "eip155:11124",
    "world-chain-sepolia": "eip155:4801",
    "rootstock-testnet": "eip155:31",
    "flare-coston2": "eip155:114",
    "bitcoin": "bip122:000000000019d6689c085ae165831e93",
    "bitcoin-testnet": "bip122:000000000933ea01ad0ee984209779ba",
    "bitcoin-signet": "bip122:00000008819873e925422c1ff0f99f7c",
    "bitcoin-testnet4": "bip122:00000000da84f2bafbbc53dee25a72ae",
    "bitcoin-regtest": "bip122:0f9188f13cb7b2c71f2a335e3a4fc328",
    "litecoin": "bip122:12a765e31ffd4059bada1e25190f6e98",
    "litecoin-testnet": "bip122:4966625a4b2851d9fdee139e56211a0d",
    "dogecoin": "bip122:1a91e3dace36e2be3bf030a65679fe82",
    "dogecoin-testnet": "bip122:bb0a78264637406b6360aad926284d54",
    "bitcoin-cash": "bip122:000000000000000000b15ad892af8f6a",
    "dash": "bip122:00000ffd590b1485b3caadc19b22e637",
    "dash-testnet": "bip122:00000bafbc94add76cb75e2ec9289483",
    "zcash": "bip122:00040fe8ec8471911baa1db1266ea15d",
    "solana": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp",
    "cardano": "cip34:1-764824073",
    "cardano-preprod": "cip34:0-1",
    "polkadot": "polkadot:91b171bb158e2d3848fa23a9f1c25182",
    "polkadot-asset-hub": "polkadot:68d56f15f85d3136970ec16946040bc1",
    "kusama": "polkadot:b0a8d493285c2df73290dfb7e61f870f",
    "kusama-asset-hub": "polkadot:48239ef607d7928874027a43a6768920",
    "ton": "tvm:-239",
    "ton-testnet": "tvm:-3",
    "xrp": "xrpl:0",
    "xrp-testnet": "xrpl:1",
    "algorand": "algorand:wGHE2Pwdvd7S12BL5FaOP20EGYesN73k",
    "algorand-testnet": "algorand:SGO1GKSzyE7IEPItTxCByw9x8FmnrCDe",
    "tezos": "tezos:NetXdQprcVkpaWU",
    "tezos-shadownet": "tezos:NetXsqzbfFenSTS",
    "stellar": "stellar:pubnet",
    "stellar-testnet": "stellar:testnet",
    "cosmos": "cosmos:cosmoshub-4",
    "osmosis": "cosmos:osmosis-1",
    "celestia": "cosmos:celestia",
    "dydx": "cosmos:dydx-mainnet-1",
    "noble": "cosmos:noble-1",
    "neutron": "cosmos:neutron-1",
    "axelar": "cosmos:axelar-dojo-1",
    "sei": "cosmos:pacific-1",
    "stride": "cosmos:stride-1",
    "akash": "cosmos:akashnet-2",
    "kava": "cosmos:hashed-6d4e837e169119f0",
    "terra": "cosmos:phoenix-1",
    "secret": "cosmos:secret-4",
    "thorchain": "cosmos:thorchain-1",
    "injective": "cosmos:injective-1",
    "tron": "tron:728126428",
    "tron-nile": "tron:3448148188",
    "tron-shasta": "tron:2494104990",
    "aptos": "aptos:1",
    "aptos-testnet": "aptos:2",
    "sui": "sui:mainnet",
    "sui-testnet": "sui:testnet",
    "near": "near:mainnet",
    "near-testnet": "near:testnet",
    "hedera": "hedera:mainnet",
    "hedera-testnet": "hedera:testnet",
}

LISTING = """
import sys
from strongroom.networks import TABLE, NetworkTable
for network in TABLE:
    print(network.name, network.caip2, *network.variants, network.path(network.scheme(None)))
heavy = {"wallycore", "_wallycore", "nacl", "Crypto", "cryptography", "mnemonic"} & sys.modules.keys()
sys.exit(f"imported: {heavy}" if heavy else 0)
"""


def test_the_table_satisfies_the_seam() -> None:
    table: Networks = TABLE
    entries: list[Network] = list(table)
    assert all(table.get(entry.name) is entry for entry in entries)


def test_each_network_has_its_caip2_id() -> None:
    assert {network.name: network.caip2 for network in TABLE} == CAIP2


def test_the_first_variant_is_the_default() -> None:
    for network in TABLE:
        assert network.variants[0] == "default"
        assert network.scheme(None) == network.scheme("default")


def test_every_chain_of_bitcoin_has_the_four_variants_in_this_order() -> None:
    for network in TABLE:
        if isinstance(network, Bitcoin):
            assert network.variants == ("default", "taproot", "legacy", "nested")
            assert [network.scheme(name) for name in network.variants] == ["bip84", "bip86", "bip44", "bip49"]


def test_each_scheme_of_a_network_belongs_to_one_variant() -> None:
    for network in TABLE:
        schemes = [network.scheme(variant) for variant in network.variants]
        assert len(set(schemes)) == len(schemes)


def test_entries_carry_the_facts_that_signing_needs() -> None:
    polygon, testnet = TABLE.get("polygon"), TABLE.get("bitcoin-testnet")
    assert isinstance(polygon, Evm)
    assert polygon.chain_id == 137
    assert isinstance(testnet, Bitcoin)
    assert (testnet.hrp, testnet.coin_type, testnet.wif_version) == ("tb", 1, 0xEF)
    assert (testnet.p2pkh_version, testnet.p2sh_version) == (0x6F, 0xC4)


@pytest.mark.parametrize("name", ["", "Ethereum", "ethereum ", "eip155:1", "peercoin"])
def test_an_unknown_network_is_refused_and_the_hint_lists_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownNetworkError) as caught:
        TABLE.get(name)
    assert "bitcoin-testnet" in caught.value.hint


@pytest.mark.parametrize("name", CAIP2)
@pytest.mark.parametrize("unknown", ["", "Default", "segwit", "bip84", "bip44", "taproot ", "Legacy", "nested\0"])
def test_an_unknown_variant_is_refused(name: str, unknown: str) -> None:
    with pytest.raises(UnknownVariantError):
        TABLE.get(name).scheme(unknown)


@pytest.mark.parametrize("name", CAIP2)
@pytest.mark.parametrize("variant", ["taproot", "legacy", "nested"])
def test_the_variants_of_bitcoin_are_those_of_networks_that_list_them(name: str, variant: str) -> None:
    network = TABLE.get(name)
    if variant in network.variants:
        assert network.scheme(variant) != network.scheme(None)
    else:
        with pytest.raises(UnknownVariantError):
            network.scheme(variant)


@pytest.mark.parametrize("name", CAIP2)
def test_an_unknown_scheme_is_refused_by_every_verb_that_takes_one(name: str) -> None:
    network = TABLE.get(name)
    own = {network.scheme(variant) for variant in network.variants}
    for scheme in {"", "default", "legacy", "BIP44", "bip45", "bip44", "bip49", "bip84", "bip86", "slip10"} - own:
        with pytest.raises(UnknownVariantError):
            network.path(scheme)
        with pytest.raises(UnknownVariantError):
            network.derive(phrase(), scheme, "m/0'")
        with pytest.raises(UnknownVariantError):
            network.public_half(Secret(b"\1" * 32), scheme)


def test_a_network_is_one_entry() -> None:
    """The example of docs/how-to-add-a-network.md."""
    lisk = NetworkTable((*TABLE, Evm("lisk", chain_id=1135))).get("lisk")
    key = lisk.derive(phrase(), "bip44").private_key
    assert lisk.caip2 == "eip155:1135"
    assert lisk.public_half(key, "bip44").address == "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"


def test_two_entries_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        NetworkTable((*TABLE, Evm("ethereum", chain_id=2)))


def test_listing_networks_loads_no_cryptography() -> None:
    done = subprocess.run([sys.executable, "-c", LISTING], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(CAIP2)


def test_the_limits_of_fees_are_those_of_the_docs() -> None:
    table = (Path(__file__).parents[3] / "docs" / "signing.md").read_text().partition("## Limits of fees")[2]
    rows = re.findall(r"^\| ([a-z0-9, -]+) \| [0-9.]+ [A-Z]+: 10\^(\d+) (wei|lamports) \|$", table, re.MULTILINE)
    documented = {name: (10 ** int(power), unit) for names, power, unit in rows for name in names.split(", ")}
    limits = {each.name: (each.fee_limit_wei, "wei") for each in TABLE if isinstance(each, Evm)}
    limits |= {each.name: (each.fee_limit_lamports, "lamports") for each in TABLE if isinstance(each, Solana)}
    assert documented == limits


def test_a_family_is_loaded_when_one_of_its_networks_is_first_used() -> None:
    looked = "from strongroom.networks import TABLE; TABLE.names, TABLE.chains; TABLE.get('ethereum')"
    loaded = "import sys; print(*(name for name in sys.modules if name.endswith('.family')))"
    done = subprocess.run([sys.executable, "-c", f"{looked}; {loaded}"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["strongroom.networks.evm.family"]
