"""What networks have in common whose keys come from phrases: variants, each with a scheme, a path and a curve."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidPathError, InvalidPrivateKeyError
from strongroom.networks import variants
from strongroom.networks.codecs import key_text
from strongroom.networks.curves import curve as curves
from strongroom.networks.curves import paths, secp256k1
from strongroom.networks.curves.paths import Path
from strongroom.networks.variants import Variants
from strongroom.records.key_material import KeyMaterial
from strongroom.secret import Secret

_KEY_BYTES = 32


class HdNetwork:
    """A hierarchical deterministic network, as a base of families: they say their variants, and their addresses.

    Verbs are those of ``strongroom.ports.network.Network``, with its failure contract. What a family has otherwise, it
    overrides.
    """

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        """The variants in which wallets are made, the default first."""
        raise NotImplementedError

    @property
    def _imported(self) -> Variants:
        """The variants that only keys from elsewhere have."""
        return ()

    @property
    def _every(self) -> Variants:
        return self._made + self._imported

    @property
    def variants(self) -> Sequence[str]:
        """The names of the variants in which wallets are made, the default first."""
        return variants.names(self._made)

    @property
    def imported_variants(self) -> Sequence[str]:
        """The names of the variants that only keys from elsewhere have."""
        return variants.names(self._imported)

    @property
    def schemes(self) -> Sequence[str]:
        """The schemes of all variants, those of keys from elsewhere last."""
        return variants.schemes(self._every)

    @property
    def key_forms(self) -> Sequence[str]:
        """The text forms of private keys; here hexadecimal digits alone."""
        return ("64 hexadecimal digits",)

    def curve(self, scheme: str) -> str:
        """The curve of a scheme: ``secp256k1``, ``ed25519``. Raises UnknownVariantError."""
        return variants.of_scheme(self._every, scheme).curve

    def scheme(self, variant: str | None) -> str:
        """The scheme of a variant; of the default for None. Raises UnknownVariantError."""
        return variants.find(self._every, variant).scheme

    def schemes_of(self, _: str) -> Sequence[str]:
        """Any: an address does not say how its key was derived."""
        return self.schemes

    def path(self, scheme: str, index: int = 0) -> str | None:
        """The path of an index. Raises UnknownVariantError, InvalidPathError for one outside of 0 to 2^31-1."""
        return variants.path_of(self._every, scheme, index)

    def derive(self, phrase: Phrase, scheme: str, path: str | None = None) -> KeyMaterial:
        """Derive the key of a phrase, at index 0 or at a path. Raises InvalidPathError, UnknownVariantError.

        BIP-32 on secp256k1, SLIP-10 on Ed25519; the key of ``raw-seed`` is the first 32 bytes of the phrase's seed.
        """
        default = self.path(scheme)
        if default is None:
            if scheme == variants.RAW_SEED:
                return _of_raw_seed(phrase, path)
            raise InvalidPathError(f"Keys of the scheme {scheme} have no paths.", hint="Choose another variant.")
        steps = paths.parse(default if path is None else path)
        key = self._key_at(phrase, scheme, steps)
        return KeyMaterial(key, scheme, paths.render(steps), phrase.mnemonic, phrase.passphrase)

    def _key_at(self, phrase: Phrase, scheme: str, steps: Path) -> Secret:
        return curves.derive(self.curve(scheme), phrase, steps)

    def new_material(self, scheme: str, words: int, random_bytes: Callable[[int], bytes] = os.urandom) -> KeyMaterial:
        """Make a phrase of 12, 15, 18, 21 or 24 words and derive its key of index 0. BIP-39.

        Raises InvalidMnemonicError, UnknownVariantError.
        """
        return self.derive(Phrase.generate(words, random_bytes), scheme)

    def parse_private_key(self, text: Secret) -> Secret:
        """Read 64 hexadecimal digits, with or without 0x. Raises InvalidPrivateKeyError."""
        key = key_text.from_hex(text, _KEY_BYTES)
        if key is None:
            raise InvalidPrivateKeyError("The private key is not 64 hexadecimal digits.")
        return secp256k1.checked(key) if self._is_on_secp256k1 else key

    def scheme_of_key(self, _: Secret, scheme: str | None) -> str:
        """The scheme asked for, else that of the default variant."""
        return scheme or self._made[0].scheme

    def format_private_key(self, private_key: Secret, _: str | None = None) -> Secret:
        """Write 64 hexadecimal digits. Raises InvalidPrivateKeyError."""
        key = secp256k1.checked(private_key) if self._is_on_secp256k1 else private_key
        return Secret.from_text(key.reveal().hex())

    @property
    def _is_on_secp256k1(self) -> bool:
        """Whether every key of the network is: a number outside of the curve's range is refused when it is read."""
        return all(variant.curve == curves.SECP256K1 for variant in self._every)

    def _public_key(self, private_key: Secret, scheme: str) -> bytes:
        """33 bytes on secp256k1, 32 on Ed25519. Raises InvalidPrivateKeyError, UnknownVariantError."""
        return curves.public_key(self.curve(scheme), private_key)


def _of_raw_seed(phrase: Phrase, path: str | None) -> KeyMaterial:
    """What tools make of a phrase that know no derivation: the beginning of its seed."""
    if path is not None:
        raise InvalidPathError("The scheme raw-seed has no paths.", hint="Leave the path out.")
    key = Secret(phrase.seed().reveal()[:_KEY_BYTES])
    return KeyMaterial(key, variants.RAW_SEED, None, phrase.mnemonic, phrase.passphrase)
