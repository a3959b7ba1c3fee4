"""The chains of Bitcoin that are in the table. Bitcoin Core, kernel/chainparams.cpp."""

from __future__ import annotations

from strongroom.networks.bitcoin.chain import BitcoinChain

CHAINS = (
    BitcoinChain(
        "bitcoin",
        genesis="000000000019d6689c085ae165831e93",
        coin_type=0,
        space="bitcoin-main",
        hrp="bc",
        p2pkh_version=0x00,
        p2sh_version=0x05,
        wif_version=0x80,
        explorer="https://mempool.space/address/{address}",
    ),
    BitcoinChain(
        "bitcoin-testnet",
        genesis="000000000933ea01ad0ee984209779ba",
        coin_type=1,
        space="bitcoin-test",
        hrp="tb",
        p2pkh_version=0x6F,
        p2sh_version=0xC4,
        wif_version=0xEF,
        explorer="https://mempool.space/testnet/address/{address}",
    ),
    BitcoinChain(
        "bitcoin-signet",
        genesis="00000008819873e925422c1ff0f99f7c",
        coin_type=1,
        space="bitcoin-test",
        hrp="tb",
        p2pkh_version=0x6F,
        p2sh_version=0xC4,
        wif_version=0xEF,
        explorer="https://mempool.space/signet/address/{address}",
    ),
    BitcoinChain(
        "bitcoin-testnet4",
        genesis="00000000da84f2bafbbc53dee25a72ae",
        coin_type=1,
        space="bitcoin-test",
        hrp="tb",
        p2pkh_version=0x6F,
        p2sh_version=0xC4,
        wif_version=0xEF,
        explorer="https://mempool.space/testnet4/address/{address}",
    ),
    BitcoinChain(
        "bitcoin-regtest",
        genesis="0f9188f13cb7b2c71f2a335e3a4fc328",
        coin_type=1,
        space="bitcoin-regtest",
        hrp="bcrt",
        p2pkh_version=0x6F,
        p2sh_version=0xC4,
        wif_version=0xEF,
    ),
)
