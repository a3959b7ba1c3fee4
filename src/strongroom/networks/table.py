"""The table of networks: every registered chain, one entry each. Nothing registers itself.

An entry is the facts of a chain; its family is imported when the network is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from importlib import import_module
from typing import Any

from strongroom.crypto.phrase import Phrase
from strongroom.errors import UnknownNetworkError
from strongroom.networks.algorand.chain import AlgorandChain
from strongroom.networks.aptos.chain import AptosChain
from strongroom.networks.bitcoin import chains as bitcoin
from strongroom.networks.bitcoin_forks import chains as bitcoin_forks
from strongroom.networks.cardano.chain import CardanoChain
from strongroom.networks.cosmos import chains as cosmos
from strongroom.networks.evm import chains as evm
from strongroom.networks.evm.chain import EvmChain
from strongroom.networks.hedera.chain import HederaChain
from strongroom.networks.names import close_to
from strongroom.networks.near.chain import NearChain
from strongroom.networks.polkadot.chain import PolkadotChain
from strongroom.networks.solana.chain import SolanaChain
from strongroom.networks.stellar.chain import StellarChain
from strongroom.networks.sui.chain import SuiChain
from strongroom.networks.tezos.chain import TezosChain
from strongroom.networks.ton.chain import TonChain
from strongroom.networks.tron.chain import TronChain
from strongroom.networks.xrp.chain import XrpChain
from strongroom.ports.network import Chain, Network


class NetworkTable:
    """Networks by name, in order, and those that have an id and no name. Raises ValueError where two have one name.

    ``limited`` gives a chain another limit of fees.
    """

    def __init__(self, entries: Iterable[Chain], limited: Callable[[Chain], Chain] = lambda chain: chain) -> None:
        self._limited = limited
        self._chains: dict[str, Chain] = {}
        self._aliases: dict[str, str] = {}
        for entry in entries:
            chain = limited(evm.as_stored(entry) if isinstance(entry, EvmChain) else entry)
            alias = getattr(chain, "alias", None)
            for name in (chain.name,) if alias is None else (chain.name, alias):
                if name in self._chains or name in self._aliases:
                    raise ValueError(f"the network {name} is in the table twice")
            self._chains[chain.name] = chain
            if alias is not None:
                self._aliases[alias] = chain.name
        self._by_caip2 = {chain.caip2: chain for chain in self._chains.values()}
        self._loaded: dict[str, Network] = {}

    def get(self, name: str) -> Network:
        """Return the network of that name, whose own name is the one that is stored: of an alias another one.

        Raises UnknownNetworkError; its hint lists the names.
        """
        network = self._loaded.get(name)
        if network is None:
            chain = self._chain(name)
            if chain is None:
                raise self._unknown(name)
            if chain.name not in self._chains:
                return _network_of(chain)  # there are 2^63 of them: none is kept here
            network = self._loaded.setdefault(chain.name, _network_of(chain))
            self._loaded[name] = network
        return network

    def __contains__(self, name: object) -> bool:
        """Whether ``get`` knows a name. Loads nothing."""
        return isinstance(name, str) and self._chain(name) is not None

    def _chain(self, name: str) -> Chain | None:
        chain = self._chains.get(self._aliases.get(name, name))
        if chain is not None:
            return chain
        kind, colon, reference = name.partition(":")
        without_name = _WITHOUT_A_NAME[kind](reference) if colon and kind in _WITHOUT_A_NAME else None
        return None if without_name is None else self._by_caip2.get(without_name.caip2, self._limited(without_name))

    def _unknown(self, name: str) -> UnknownNetworkError:
        if name.partition(":")[0] in _WITHOUT_A_NAME:
            return UnknownNetworkError("There is no network of that name.", hint=f"The form is {evm.FORM}.")
        names = (*self._chains, *self._aliases)
        close = close_to(name, names)
        meant = f"Did you mean {close}? " if close else ""
        others = f"Any other chain of the EVM is {evm.KIND}:<chain id>."
        return UnknownNetworkError(
            "There is no network of that name.", hint=f"{meant}The networks are: {', '.join(names)}. {others}"
        )

    def with_fee_limits(self, evm_gwei: int | None, solana_lamports: int | None) -> NetworkTable:
        """The same networks with other limits of what a transaction may cost; None leaves a network its own."""
        limited = partial(_limited, evm_gwei=evm_gwei, solana_lamports=solana_lamports)
        return NetworkTable(self.chains, lambda chain: limited(self._limited(chain)))

    @property
    def aliases(self) -> Mapping[str, str]:
        """Names that came later than the wallets of their networks, each with the name that is stored."""
        return dict(self._aliases)

    @property
    def names(self) -> Sequence[str]:
        """The names that are stored, in the order of the table; those of chains without a name are not listed."""
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


_WITHOUT_A_NAME: Mapping[str, Callable[[str], Chain | None]] = {evm.KIND: evm.unnamed}
"""By what stands before the colon: the chain of an id, None for what is no id."""


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
        *bitcoin.CHAINS,
        *bitcoin_forks.CHAINS,
        SolanaChain("solana", genesis="5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"),
        CardanoChain("cardano", magic=764824073, explorer="https://cardanoscan.io/address/{address}"),
        CardanoChain(
            "cardano-preprod",
            magic=1,
            testnet=True,
            explorer="https://preprod.cardanoscan.io/address/{address}",
        ),
        PolkadotChain(
            "polkadot",
            genesis="91b171bb158e2d3848fa23a9f1c25182",
            prefix=0,
            coin_type=354,
            space="polkadot",
            explorer="https://polkadot.subscan.io/account/{address}",
        ),
        PolkadotChain(
            "polkadot-asset-hub",
            genesis="68d56f15f85d3136970ec16946040bc1",
            prefix=0,
            coin_type=354,
            space="polkadot",
            explorer="https://assethub-polkadot.subscan.io/account/{address}",
        ),
        PolkadotChain(
            "kusama",
            genesis="b0a8d493285c2df73290dfb7e61f870f",
            prefix=2,
            coin_type=434,
            space="kusama",
            explorer="https://kusama.subscan.io/account/{address}",
        ),
        PolkadotChain(
            "kusama-asset-hub",
            genesis="48239ef607d7928874027a43a6768920",
            prefix=2,
            coin_type=434,
            space="kusama",
            explorer="https://assethub-kusama.subscan.io/account/{address}",
        ),
        TonChain("ton", global_id=-239, explorer="https://tonviewer.com/{address}"),
        TonChain("ton-testnet", global_id=-3, testnet=True, explorer="https://testnet.tonviewer.com/{address}"),
        XrpChain("xrp", network_id=0, explorer="https://livenet.xrpl.org/accounts/{address}"),
        XrpChain("xrp-testnet", network_id=1, testnet=True, explorer="https://testnet.xrpl.org/accounts/{address}"),
        AlgorandChain(
            "algorand",
            genesis="wGHE2Pwdvd7S12BL5FaOP20EGYesN73k",
            explorer="https://lora.algokit.io/mainnet/account/{address}",
        ),
        AlgorandChain(
            "algorand-testnet",
            genesis="SGO1GKSzyE7IEPItTxCByw9x8FmnrCDe",
            explorer="https://lora.algokit.io/testnet/account/{address}",
        ),
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
        AptosChain("aptos", 1, "https://explorer.aptoslabs.com/account/{address}?network=mainnet"),
        AptosChain("aptos-testnet", 2, "https://explorer.aptoslabs.com/account/{address}?network=testnet"),
        SuiChain("sui", "mainnet", "https://suiscan.xyz/mainnet/account/{address}"),
        SuiChain("sui-testnet", "testnet", "https://suiscan.xyz/testnet/account/{address}"),
        NearChain("near", "mainnet", "https://nearblocks.io/address/{address}"),
        NearChain("near-testnet", "testnet", "https://testnet.nearblocks.io/address/{address}"),
        HederaChain("hedera", "mainnet", "https://hashscan.io/mainnet/account/{address}"),
        HederaChain("hedera-testnet", "testnet", "https://hashscan.io/testnet/account/{address}"),
    )
)
