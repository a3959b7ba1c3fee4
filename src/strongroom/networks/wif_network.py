"""What Bitcoin and chains that began as copies of it have in common: keys in Wallet Import Format."""

from __future__ import annotations

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidPathError, InvalidPrivateKeyError
from strongroom.networks import variants
from strongroom.networks.codecs import base58, key_text
from strongroom.networks.curves import secp256k1
from strongroom.networks.curves.watch_only import point_below
from strongroom.networks.hd_network import HdNetwork
from strongroom.networks.variants import UNCOMPRESSED, Variant, Variants
from strongroom.records.key_material import KeyMaterial, PublicHalf
from strongroom.records.watch_only import WatchedBranch
from strongroom.secret import Secret

TESTNETS = 1
"""The coin type of every testnet. SLIP-44."""
P2WPKH_SCRIPT = b"\x00\x14"
"""Version 0, push 20 bytes: those of the hash follow. BIP-141."""
_IMPORTED = (Variant("uncompressed", UNCOMPRESSED, None),)
_COMPRESSED = b"\x01"


class WifNetwork(HdNetwork):
    """A network whose keys are on secp256k1 and written in Wallet Import Format. Families say their addresses.

    Verbs are those of ``strongroom.ports.network.Network``, with its failure contract.
    """

    __slots__ = ()

    name: str
    wif_version: int

    def _address(self, point: bytes, scheme: str) -> str:
        """The address of a public key, 33 bytes, or 65 for ``p2pkh-uncompressed``."""
        raise NotImplementedError

    @property
    def _imported(self) -> Variants:
        return _IMPORTED

    @property
    def key_forms(self) -> tuple[str, ...]:
        """Wallet Import Format, and hexadecimal digits."""
        return ("WIF (base58check)", "64 hexadecimal digits")

    def derive(self, phrase: Phrase, scheme: str, path: str | None = None) -> KeyMaterial:
        """Derive the key of a phrase at a path. Raises InvalidPathError, UnknownVariantError. BIP-32."""
        if self.path(scheme) is None:
            hashed = variants.of_scheme(self._made, "bip44").name
            raise InvalidPathError("Keys of a phrase are compressed.", hint=f"Use the variant {hashed} for P2PKH.")
        return super().derive(phrase, scheme, path)

    def parse_private_key(self, text: Secret) -> Secret:
        """Read 64 hexadecimal digits, or this network's Wallet Import Format. Raises InvalidPrivateKeyError."""
        key = key_text.from_hex(text, secp256k1.KEY_BYTES)
        key = key or self._from_wif(text, _COMPRESSED) or self._from_wif(text, b"")
        if key is None:
            raise InvalidPrivateKeyError(
                "The private key is neither 64 hexadecimal digits nor WIF of this network.",
                hint=f"Pass 64 hexadecimal digits, or what a wallet of {self.name} exports.",
            )
        return secp256k1.checked(key)

    def scheme_of_key(self, text: Secret, scheme: str | None) -> str:
        """The scheme asked for, else the default; ``p2pkh-uncompressed`` for WIF that says so.

        A key that is not compressed has addresses of that kind alone. Raises InvalidPrivateKeyError where the WIF says
        otherwise than ``scheme``.
        """
        compressed, plain = self._from_wif(text, _COMPRESSED) is not None, self._from_wif(text, b"") is not None
        if (plain and scheme not in (None, UNCOMPRESSED)) or (compressed and scheme == UNCOMPRESSED):
            raise InvalidPrivateKeyError(
                f"The WIF says that the public key is {'not ' if plain else ''}compressed, which {scheme} is not for.",
                hint="Leave the variant out: the address then is the one that wallets show for this WIF.",
            )
        return UNCOMPRESSED if plain else scheme or self._made[0].scheme

    def format_private_key(self, private_key: Secret, scheme: str | None = None) -> Secret:
        """Write Wallet Import Format; it says whether the public key is compressed. Raises InvalidPrivateKeyError."""
        key = secp256k1.checked(private_key)
        mark = b"" if scheme == UNCOMPRESSED else _COMPRESSED
        return Secret.from_text(base58.encode_check(bytes((self.wif_version,)) + key.reveal() + mark))

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive public key and address.

        The public key is the compressed point of the private key itself (65 bytes for ``p2pkh-uncompressed``); for
        taproot that is the internal key, before the tweak. Raises InvalidPrivateKeyError, UnknownVariantError.
        """
        point = self._public_key(private_key, scheme)
        if scheme == UNCOMPRESSED:
            point = secp256k1.decompress(point)
        return PublicHalf(point.hex(), self._address(point, scheme))

    def watched_address(self, branch: WatchedBranch, scheme: str, path: str) -> str:
        """The address at a path of a branch, from its xpub. Raises UnknownVariantError."""
        variants.of_scheme(self._made, scheme)
        return self._address(point_below(branch.xpub, branch.path, path), scheme)

    def _from_wif(self, text: Secret, mark: bytes) -> Secret | None:
        data = base58.decode_check(key_text.strip(text) or "")
        if data is None or len(data) != 33 + len(mark) or data[0] != self.wif_version or data[33:] != mark:
            return None
        return Secret(data[1:33])
