"""The table of networks: every registered chain, one entry each. Nothing registers itself.

An entry is the facts of a chain; its family is imported when the network is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from importlib import import_module
from typing import Any

from strongroom.crypto.phrase import Phrase
from strongroom.errors import UnknownNetworkError
from strongroom.networks.bitcoin.chain import BitcoinChain
from strongroom.networks.cosmos import chains as cosmos
from strongroom.networks.evm import chains as evm
from strongroom.networks.evm.chain import EvmChain
from strongroom.networks.names import close_to
from strongroom.networks.solana.chain import SolanaChain
from strongroom.networks.stellar.chain import StellarChain
from strongroom.networks.tezos.chain import TezosChain
from strongroom.networks.ton.chain import TonChain
from strongroom.networks.tron.chain import TronChain
from strongroom.networks.xrp.chain import XrpChain
from strongroom.ports.network import Chain, Network


class NetworkTable:
    """Networks by name, in order. Raises ValueError where two have one name."""

    def __init__(self, entries: Iterable[Chain]) -> None:
        self._chains: dict[str, Chain] = {}
        for entry in entries:
            if entry.name in self._chains:
                raise ValueError(f"the network {entry.name} is in the table twice")
            self._chains[entry.name] = entry
        self._loaded: dict[str, Network] = {}

    def get(self, name: str) -> Network:
        """Return the network of that name. Raises UnknownNetworkError; its hint lists the names."""
        network = self._loaded.get(name)
        if network is None:
            network = self._loaded.setdefault(name, _network_of(self._chain(name)))
        return network

    def _chain(self, name: str) -> Chain:
        chain = self._chains.get(name)
        if chain is None:
            close = close_to(name, self._chains)
            meant = f"Did you mean {close}? " if close else ""
            raise UnknownNetworkError(
                "There is no network of that name.", hint=f"{meant}The networks are: {', '.join(self._chains)}."
            )
        return chain

    def with_fee_limits(self, evm_gwei: int | None, solana_lamports: int | None) -> NetworkTable:
        """The same networks with other limits of what a transaction may cost; None leaves a network its own."""
        return NetworkTable(_limited(chain, evm_gwei, solana_lamports) for chain in self.chains)

    @property
    def names(self) -> Sequence[str]:
        """The names, in the order of the table."""
        return tuple(self._chains)

    @property
    def chains(self) -> Sequence[Chain]:
        """The facts of every chain, in the order of the table."""
        return tuple(self._chains.values())

    def __iter__(self) -> Iterator[Network]:
        """Every network, in the order of the table."""
        return map(self.get, self.names)

    def identifier(self, phrase: Phrase) -> str:
        """HASH160 of a phrase's master public key, 40 hexadecimal digits. BIP-32, "Key identifiers"."""
        from strongroom.networks.curves import bip32

        return bip32.identifier(phrase.seed())


def _network_of(chain: Any) -> Network:
    """A chain with the verbs of its family, which lies beside its facts: ``evm.chain`` and ``evm.family``."""
    package, _, module = type(chain).__module__.rpartition(".")
    if module != "chain":
        complete: Network = chain  # as where an application has a table of its own
        return complete
    family: type[Network] = import_module(f"{package}.family").FAMILY
    return family(**{field.name: getattr(chain, field.name) for field in fields(chain)})


def _limited(chain: Chain, evm_gwei: int | None, solana_lamports: int | None) -> Chain:
    if isinstance(chain, EvmChain) and evm_gwei is not None:
        return replace(chain, fee_limit_wei=evm_gwei * _GWEI)
    if isinstance(chain, SolanaChain) and solana_lamports is not None:
        return replace(chain, fee_limit_lamports=solana_lamports)
    return chain


_GWEI = 10**9

TABLE = NetworkTable(
    (
        *evm.CHAINS,
        BitcoinChain(
            "bitcoin",
            genesis="000000000019d6689c085ae165831e93",
            coin_type=0,
            space="bitcoin-main",
            hrp="bc",
            p2pkh_version=0x00,
            p2sh_version=0x05,
            wif_version=0x80,
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
        ),
        SolanaChain("solana", genesis="5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"),
        TonChain("ton", global_id=-239, explorer="https://tonviewer.com/{address}"),
        TonChain("ton-testnet", global_id=-3, testnet=True, explorer="https://testnet.tonviewer.com/{address}"),
        XrpChain("xrp", network_id=0, explorer="https://livenet.xrpl.org/accounts/{address}"),
        XrpChain("xrp-testnet", network_id=1, testnet=True, explorer="https://testnet.xrpl.org/accounts/{address}"),
        TezosChain("tezos", chain_id="NetXdQprcVkpaWU", explorer="https://tzkt.io/{address}"),
        TezosChain("tezos-shadownet", chain_id="NetXsqzbfFenSTS", explorer="https://shadownet.tzkt.io/{address}"),
        StellarChain(
            "stellar",
            reference="pubnet",
            explorer="https://stellar.expert/explorer/public/account/{address}",
        ),
        StellarChain(
            "stellar-testnet",
            reference="testnet",
            explorer="https://stellar.expert/explorer/testnet/account/{address}",
        ),
        *cosmos.CHAINS,
        TronChain("tron", chain_id=728126428, explorer="https://tronscan.org/#/address/{address}"),
        TronChain("tron-nile", chain_id=3448148188, explorer="https://nile.tronscan.org/#/address/{address}"),
        TronChain("tron-shasta", chain_id=2494104990, explorer="https://shasta.tronscan.org/#/address/{address}"),
    )
)
