"""The addresses that other wallets show for the standard phrase."""

from __future__ import annotations

import pytest

from strongroom.networks import TABLE
from testbed.networks.known import phrase

EVM = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"
TAPROOT = "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"
CASH = "bitcoincash:qqyx49mu0kkn9ftfj6hje6g2wfer34yfnq5tahq3q6"
TAPROOT_TESTNET = "tb1p8wpt9v4frpf3tkn0srd97pksgsxc5hs52lafxwru9kgeephvs7rqlqt9zj"


@pytest.mark.parametrize(
    ("network", "variant", "scheme", "path", "address"),
    [
        (
            "cardano",
            None,
            "cip1852",
            "m/1852'/1815'/0'/0/0",
            "addr1qy8ac7qqy0vtulyl7wntmsxc6wex80gvcyjy33qffrhm7sh927ysx5sftuw0dlft05dz3c7revpf7jx0xnlcjz3g69mq4afdhv",
        ),
        (
            "cardano",
            "enterprise",
            "enterprise",
            "m/1852'/1815'/0'/0/0",
            "addr1vy8ac7qqy0vtulyl7wntmsxc6wex80gvcyjy33qffrhm7ss7lxrqp",
        ),
        (
            "cardano-preprod",
            None,
            "cip1852",
            "m/1852'/1815'/0'/0/0",
            "addr_test1qq8ac7qqy0vtulyl7wntmsxc6wex80gvcyjy33qffrhm7sh927ysx5sftuw0dlft05dz3c7revpf7jx0xnlcjz3g69mqkt5dmn",
        ),
        ("polkadot", None, "sr25519", "m", "13KVd4f2a4S5pLp4gTTFezyXdPWx27vQ9vS6xBXJ9yWVd7xo"),
        ("polkadot-asset-hub", None, "sr25519", "m", "13KVd4f2a4S5pLp4gTTFezyXdPWx27vQ9vS6xBXJ9yWVd7xo"),
        ("kusama", None, "sr25519", "m", "Etp93jqLeBY8TczVXDJQoWNvMoY8VBSXoYNBYou5ghUBeC1"),
        (
            "polkadot",
            "ed25519",
            "ed25519",
            "m/44'/354'/0'/0'/0'",
            "14E9StbjYhJiAfsNMEcq5tETq79Q6EqaGyebdziY214hNWDH",
        ),
        (
            "kusama",
            "ed25519",
            "ed25519",
            "m/44'/434'/0'/0'/0'",
            "D8B1pUPu14f4NssXcTgwecFjbRX32aes3v3vqdbUcXzQG9R",
        ),
        ("ton", None, "v5r1", "m/44'/607'/0'", "UQBHyu-oZVDHRYQ1-rKlGqpHy5yAqanPBirEQNMNOmfHLtaT"),
        ("ton", "v4r2", "v4r2", "m/44'/607'/0'", "UQAzWZa6nM5mJev91wGc7VCSfBoIsYRqKJpV78N8Add9-RKY"),
        ("ton", "v3r2", "v3r2", "m/44'/607'/0'", "UQC9LJL69GjPHMTyZ_9_P2QKTGnQhMWs2eRk6MVDiDina88a"),
        ("ton-testnet", None, "v5r1", "m/44'/607'/0'", "0QCf9EYCGEnzNflKo0BRm4IM0g2i094C_uqgJBSBmHZMUG87"),
        ("ton-testnet", "v4r2", "v4r2", "m/44'/607'/0'", "0QAzWZa6nM5mJev91wGc7VCSfBoIsYRqKJpV78N8Add9-akS"),
        ("ethereum", None, "bip44", "m/44'/60'/0'/0/0", EVM),
        ("polygon", None, "bip44", "m/44'/60'/0'/0/0", EVM),
        ("avalanche", None, "bip44", "m/44'/60'/0'/0/0", EVM),
        ("optimism", None, "bip44", "m/44'/60'/0'/0/0", EVM),
        ("arbitrum", None, "bip44", "m/44'/60'/0'/0/0", EVM),
        ("base", None, "bip44", "m/44'/60'/0'/0/0", EVM),
        ("zksync", None, "bip44", "m/44'/60'/0'/0/0", EVM),
        ("mantle", None, "bip44", "m/44'/60'/0'/0/0", EVM),
        ("bnb", None, "bip44", "m/44'/60'/0'/0/0", EVM),
        ("ethereum-sepolia", "default", "bip44", "m/44'/60'/0'/0/0", EVM),
        ("bitcoin", None, "bip84", "m/84'/0'/0'/0/0", "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"),
        ("bitcoin", "default", "bip84", "m/84'/0'/0'/0/0", "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"),
        ("bitcoin", "taproot", "bip86", "m/86'/0'/0'/0/0", TAPROOT),
        ("bitcoin", "legacy", "bip44", "m/44'/0'/0'/0/0", "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA"),
        ("bitcoin", "nested", "bip49", "m/49'/0'/0'/0/0", "37VucYSaXLCAsxYyAPfbSi9eh4iEcbShgf"),
        ("bitcoin-testnet", None, "bip84", "m/84'/1'/0'/0/0", "tb1q6rz28mcfaxtmd6v789l9rrlrusdprr9pqcpvkl"),
        ("bitcoin-testnet", "taproot", "bip86", "m/86'/1'/0'/0/0", TAPROOT_TESTNET),
        ("bitcoin-testnet", "legacy", "bip44", "m/44'/1'/0'/0/0", "mkpZhYtJu2r87Js3pDiWJDmPte2NRZ8bJV"),
        ("bitcoin-testnet", "nested", "bip49", "m/49'/1'/0'/0/0", "2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2"),
        ("bitcoin-signet", None, "bip84", "m/84'/1'/0'/0/0", "tb1q6rz28mcfaxtmd6v789l9rrlrusdprr9pqcpvkl"),
        ("bitcoin-testnet4", "taproot", "bip86", "m/86'/1'/0'/0/0", TAPROOT_TESTNET),
        ("bitcoin-regtest", None, "bip84", "m/84'/1'/0'/0/0", "bcrt1q6rz28mcfaxtmd6v789l9rrlrusdprr9pz3cppk"),
        ("bitcoin-regtest", "legacy", "bip44", "m/44'/1'/0'/0/0", "mkpZhYtJu2r87Js3pDiWJDmPte2NRZ8bJV"),
        ("litecoin", None, "bip84", "m/84'/2'/0'/0/0", "ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh"),
        ("dogecoin", None, "bip44", "m/44'/3'/0'/0/0", "DBus3bamQjgJULBJtYXpEzDWQRwF5iwxgC"),
        ("bitcoin-cash", None, "bip44", "m/44'/145'/0'/0/0", CASH),
        ("dash", None, "bip44", "m/44'/5'/0'/0/0", "XoJA8qE3N2Y3jMLEtZ3vcN42qseZ8LvFf5"),
        ("zcash", None, "bip44", "m/44'/133'/0'/0/0", "t1XVXWCvpMgBvUaed4XDqWtgQgJSu1Ghz7F"),
        ("solana", None, "slip10", "m/44'/501'/0'/0'", "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk"),
        ("xrp", None, "bip44", "m/44'/144'/0'/0/0", "rHsMGQEkVNJmpGWs8XUBoTBiAAbwxZN5v3"),
        ("stellar", None, "sep5", "m/44'/148'/0'", "GB3JDWCQJCWMJ3IILWIGDTQJJC5567PGVEVXSCVPEQOTDN64VJBDQBYX"),
        ("stellar-testnet", None, "sep5", "m/44'/148'/0'", "GB3JDWCQJCWMJ3IILWIGDTQJJC5567PGVEVXSCVPEQOTDN64VJBDQBYX"),
        ("tezos", None, "slip10", "m/44'/1729'/0'/0'", "tz1VQA4RP4fLjEEMW2FR4pE9kAg5abb5h5GL"),
        ("tezos-shadownet", None, "slip10", "m/44'/1729'/0'/0'", "tz1VQA4RP4fLjEEMW2FR4pE9kAg5abb5h5GL"),
        (
            "algorand",
            None,
            "slip10",
            "m/44'/283'/0'/0'/0'",
            "EP2D7TV7IAFANZHK3B6QLKB53N5UTD7RARVXZTWCPCRQQBKYVGM2XIMT2Q",
        ),
        (
            "algorand-testnet",
            None,
            "slip10",
            "m/44'/283'/0'/0'/0'",
            "EP2D7TV7IAFANZHK3B6QLKB53N5UTD7RARVXZTWCPCRQQBKYVGM2XIMT2Q",
        ),
        ("xrp-testnet", None, "bip44", "m/44'/144'/0'/0/0", "rHsMGQEkVNJmpGWs8XUBoTBiAAbwxZN5v3"),
    ],
)
def test_index_0_is_the_address_that_other_wallets_show(
    network: str, variant: str | None, scheme: str, path: str, address: str
) -> None:
    entry = TABLE.get(network)
    assert entry.scheme(variant) == scheme
    assert entry.path(scheme) == path
    material = entry.derive(phrase(), scheme)
    assert (material.scheme, material.path) == (scheme, path)
    assert entry.public_half(material.private_key, scheme).address == address
    assert entry.parse_address(address) == address


@pytest.mark.parametrize(
    ("network", "scheme", "path", "address"),
    [
        (
            "cardano",
            "cip1852",
            "m/1852'/1815'/0'/0/1",
            "addr1qyz85693g4fr8c55mfyxhae8j2u04pydxrgqr73vmwpx3a8927ysx5sftuw0dlft05dz3c7revpf7jx0xnlcjz3g69mqu2c0f9",
        ),
        ("polkadot", "sr25519", "//1", "12ES7PTE9a3DKbs9mCsRA6Wge2DS1XK1xFgbTkp47nPV53yG"),
        ("polkadot", "ed25519", "m/44'/354'/0'/0'/1'", "12t8DsmWZSwJHSjNkLoku3boNVPjfxEzR31TFAk3R8Ps5JD8"),
        ("kusama", "ed25519", "m/44'/434'/0'/0'/1'", "CyX9Ad4vMbtxWf8Wwozb35zubFpMvm1wv2obCWE2EH7fK4F"),
        ("ton", "v5r1", "m/44'/607'/1'", "UQAockb65N9NqreZHrYfhipG94Q_gZYTBkV0mvaopLEEzOgi"),
        ("ton", "v4r2", "m/44'/607'/1'", "UQDVJucJT96vGh_bYm3e5uzenasiTOwA9orUHQiyhNsKmBrP"),
        ("ton", "v3r2", "m/44'/607'/1'", "UQBwCHMxXsb6n-AJC5HBhxaXqdcI7qD2I8mQSkYTHqD2dUCA"),
        ("ton-testnet", "v5r1", "m/44'/607'/1'", "0QCNPKI57deSd6mi4EpSfBHIofQQJYZw3FvUgDKl50fOsxMp"),
        ("ethereum", "bip44", "m/44'/60'/0'/0/1", "0x6Fac4D18c912343BF86fa7049364Dd4E424Ab9C0"),
        ("ethereum", "bip44", "m/44'/60'/0'/0/2", "0xb6716976A3ebe8D39aCEB04372f22Ff8e6802D7A"),
        ("ethereum", "bip44", "m/44'/60'/0'/0/2147483647", "0x8848bfC75a28756B521b09afDC120BdDddC7d7c9"),
        ("bitcoin", "bip84", "m/84'/0'/0'/0/1", "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g"),
        ("bitcoin", "bip84", "m/84'/0'/0'/1/0", "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"),
        (
            "bitcoin",
            "bip86",
            "m/86'/0'/0'/0/1",
            "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh",
        ),
        ("bitcoin", "bip44", "m/44'/0'/0'/0/1", "1Ak8PffB2meyfYnbXZR9EGfLfFZVpzJvQP"),
        ("bitcoin", "bip44", "m/44'/0'/0'/1/0", "1J3J6EvPrv8q6AC3VCjWV45Uf3nssNMRtH"),
        ("bitcoin", "bip49", "m/49'/0'/0'/0/1", "3LtMnn87fqUeHBUG414p9CWwnoV6E2pNKS"),
        ("bitcoin", "bip49", "m/49'/0'/0'/1/0", "34K56kSjgUCUSD8GTtuF7c9Zzwokbs6uZ7"),
        ("bitcoin-testnet", "bip84", "m/84'/1'/0'/0/1", "tb1qd7spv5q28348xl4myc8zmh983w5jx32cjhkn97"),
        ("bitcoin-testnet", "bip44", "m/44'/1'/0'/0/1", "mzpbWabUQm1w8ijuJnAof5eiSTep27deVH"),
        ("bitcoin-testnet", "bip49", "m/49'/1'/0'/0/1", "2N55m54k8vr95ggehfUcNkdbUuQvaqG2GxK"),
        ("solana", "slip10", "m/44'/501'/1'/0'", "Hh8QwFUA6MtVu1qAoq12ucvFHNwCcVTV7hpWjeY1Hztb"),
        ("stellar", "sep5", "m/44'/148'/1'", "GDVSYYTUAJ3ACHTPQNSTQBDQ4LDHQCMNY4FCEQH5TJUMSSLWQSTG42MV"),
        ("tezos", "slip10", "m/44'/1729'/1'/0'", "tz1gvekQVEwFFdxT2KrcY6kZgFK1qMN3mmWF"),
        ("algorand", "slip10", "m/44'/283'/0'/0'/1'", "4TY6NBYEJMUOI5WPNUG7YRM63GQNVZA47336IICDLIARPF7GFUMSUJ2CUU"),
        ("xrp", "bip44", "m/44'/144'/0'/0/1", "r3AgF9mMBFtaLhKcg96weMhbbEFLZ3mx17"),
        ("solana", "slip10", "m/44'/501'/2'/0'", "7WktogJEd2wQ9eH2oWusmcoFTgeYi6rS632UviTBJ2jm"),
    ],
)
def test_further_indices_are_the_addresses_that_other_wallets_show(
    network: str, scheme: str, path: str, address: str
) -> None:
    entry = TABLE.get(network)
    assert entry.public_half(entry.derive(phrase(), scheme, path).private_key, scheme).address == address


def test_the_passphrase_makes_another_wallet_and_travels_with_the_key() -> None:
    ethereum = TABLE.get("ethereum")
    material = ethereum.derive(phrase(passphrase="TREZOR"), "bip44")
    assert ethereum.public_half(material.private_key, "bip44").address != EVM
    assert material.passphrase is not None
    assert material.passphrase.reveal() == b"TREZOR"
    assert material.mnemonic is not None
    assert material.mnemonic.reveal() == phrase().mnemonic.reveal()


def test_a_child_key_with_a_leading_zero_keeps_32_bytes() -> None:
    ethereum = TABLE.get("ethereum")
    key = ethereum.derive(phrase(), "bip44", "m/44'/60'/0'/0/15").private_key
    assert key.reveal().hex() == "009a1ccd9c667416d9db6246a35d022b1799517c0cd8547bb07ce280c119ae3c"
    assert ethereum.public_half(key, "bip44").address == "0xa25d37554EB084969C85362f7E6B1A6108e51d0e"
    assert ethereum.format_private_key(key).reveal_text().startswith("0x009a1ccd")


def test_a_path_comes_back_in_its_canonical_form() -> None:
    assert TABLE.get("ethereum").derive(phrase(), "bip44", "m/44h/60H/0'/0/0").path == "m/44'/60'/0'/0/0"


def test_the_public_key_is_the_compressed_point_or_the_ed25519_key() -> None:
    for name, scheme, expected in (
        ("ethereum", "bip44", "0237b0bb7a8288d38ed49a524b5dc98cff3eb5ca824c9f9dc0dfdb3d9cd600f299"),
        ("bitcoin", "bip84", "0330d54fd0dd420a6e5f8d3624f5f3482cae350f79d5f0753bf5beef9c2d91af3c"),
        ("bitcoin", "bip86", "03cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115"),
        ("bitcoin", "bip44", "03aaeb52dd7494c361049de67cc680e83ebcbbbdbeb13637d92cd845f70308af5e"),
        ("bitcoin", "bip49", "039b3b694b8fc5b5e07fb069c783cac754f5d38c3e08bed1960e31fdb1dda35c24"),
        ("solana", "slip10", "f036276246a75b9de3349ed42b15e232f6518fc20f5fcd4f1d64e81f9bd258f7"),
    ):
        entry = TABLE.get(name)
        assert entry.public_half(entry.derive(phrase(), scheme).private_key, scheme).public_key == expected
