"""Extended keys, ``xprv`` and ``xpub``: read strictly, written exactly. BIP-32, "Serialization format"."""

from __future__ import annotations

from dataclasses import dataclass, replace

from strongroom.errors import InvalidPathError, InvalidPrivateKeyError
from strongroom.networks.codecs import base58
from strongroom.networks.curves import bip32, secp256k1
from strongroom.networks.curves.paths import MAX_DEPTH
from strongroom.networks.wally import hash160
from strongroom.secret import Secret

_XPRV = bytes.fromhex("0488ade4")
_XPUB = bytes.fromhex("0488b21e")
_SERIALISED_BYTES = 78
_NO_PARENT = bytes(4)


@dataclass(frozen=True, slots=True, eq=False)
class ExtendedKey:
    """A key of the BIP-32 tree with its place in it. An ``xpub`` is wrapped too: it shows every address."""

    key: Secret
    """The private key (32 bytes) or the compressed point (33 bytes)."""
    chain_code: Secret
    """32 bytes, secret like the key: both together derive every child."""
    depth: int = 0
    parent_fingerprint: bytes = _NO_PARENT
    child_number: int = 0

    @classmethod
    def from_seed(cls, seed: Secret) -> ExtendedKey:
        """Return the root of a seed. Raises InvalidPathError for one seed in 2^127. BIP-32."""
        start = bip32.root(seed)
        if start is None:
            raise InvalidPathError("This seed has no root key.")
        return cls(*start)

    @classmethod
    def parse(cls, text: Secret) -> ExtendedKey:
        """Read an ``xprv`` or ``xpub`` of mainnet.

        Raises InvalidPrivateKeyError for all that test vector 5 wants refused: a wrong checksum, an unknown
        version, a key that does not fit it, is out of range or off the curve, a root with a parent. BIP-32.
        """
        found = cls._read(text)
        if found is None:
            raise InvalidPrivateKeyError("This is not an extended key.", hint="Pass a whole xprv or xpub.")
        return found

    @property
    def is_private(self) -> bool:
        """Whether this is an ``xprv``."""
        return len(self.key.reveal()) == secp256k1.KEY_BYTES

    def child(self, number: int) -> ExtendedKey:
        """Return a child of a private key; hardened numbers have 2^31 added.

        Raises InvalidPathError for a public key, below depth 255, and where no key exists. BIP-32, "CKDpriv".
        """
        found = self._child(number) if self.is_private and self.depth < MAX_DEPTH else None
        if found is None:
            raise InvalidPathError("This extended key has no such child.")
        return found

    def public(self) -> ExtendedKey:
        """Return the same place without the private key. BIP-32, "N"."""
        point = self._point()
        if point is None:
            raise InvalidPrivateKeyError(secp256k1.OUT_OF_RANGE)
        return replace(self, key=Secret(point))

    def serialise(self, version: bytes | None = None) -> Secret:
        """Return the ``xprv`` or ``xpub``, or with other version bytes. BIP-32, "Serialization format"; SLIP-132."""
        return Secret.from_text(
            base58.encode_check(
                (version or (_XPRV if self.is_private else _XPUB))
                + bytes((self.depth,))
                + self.parent_fingerprint
                + self.child_number.to_bytes(4)
                + self.chain_code.reveal()
                + self.key.reveal().rjust(33, b"\0")
            )
        )

    def _point(self) -> bytes | None:
        return secp256k1.public_key(self.key.reveal()) if self.is_private else self.key.reveal()

    def _child(self, number: int) -> ExtendedKey | None:
        child = bip32.step(self.key.reveal(), self.chain_code.reveal(), number)
        point = self._point()
        if child is None or point is None:
            return None
        return ExtendedKey(Secret(child[0]), Secret(child[1]), self.depth + 1, hash160(point)[:4], number)

    @classmethod
    def _read(cls, text: Secret) -> ExtendedKey | None:
        try:
            data = base58.decode_check(text.reveal().decode("ascii"))
        except UnicodeDecodeError:
            return None
        if data is None or len(data) != _SERIALISED_BYTES:
            return None
        version, depth, parent, number, key = data[:4], data[4], data[5:9], data[9:13], data[45:]
        if depth == 0 and any(parent + number):
            return None
        if version == _XPRV and key[0] == 0 and secp256k1.is_private_key(key[1:]):
            key = key[1:]
        elif version != _XPUB or not secp256k1.is_public_key(key):
            return None
        return cls(Secret(key), Secret(data[13:45]), depth, parent, int.from_bytes(number))
