"""The wallet that signs: its address, its public key, and the scripts that its key alone can spend."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from strongroom.errors import SignatureRefusedError, UnsupportedSigningError
from strongroom.networks.bitcoin import scripts, signer
from strongroom.networks.bitcoin.chain import BitcoinChain
from strongroom.networks.bitcoin.psbt_fields import REDEEM_SCRIPT, TAP_INTERNAL_KEY, TAP_MERKLE_ROOT, Map
from strongroom.networks.bitcoin.scripts import ScriptForm
from strongroom.networks.curves import secp256k1
from strongroom.networks.variants import UNCOMPRESSED
from strongroom.networks.wally import hash160
from strongroom.records.key_material import KeyMaterial
from strongroom.records.wallets import Wallet

_LONGEST_POINT_CHARACTERS = 2 + 2 * 65
_FORMS: dict[str, ScriptForm] = {"bip84": "p2wpkh", "bip86": "p2tr", "bip44": "p2pkh", "bip49": "p2sh-p2wpkh"}


@dataclass(frozen=True, slots=True)
class SpendingWallet:
    """What signing needs of the public half of a wallet: its address, script and key."""

    chain: BitcoinChain
    address: str
    script: bytes
    """The address's output script, serialised without its length."""
    form: ScriptForm
    point: bytes | None
    """The compressed public key; None where the legacy application wrote the wallet, and wrote none."""

    @classmethod
    def of(cls, chain: BitcoinChain, wallet: Wallet) -> SpendingWallet:
        """Take what is needed from a wallet's public half.

        Raises UnsupportedSigningError for an address that more than one key spends, SignatureRefusedError where
        address, scheme, public key and network do not belong together.
        """
        script = scripts.of_address(chain, wallet.address)
        if script is None or wallet.network != chain.name:
            raise SignatureRefusedError(f"The wallet's address is not one of {chain.name}.")
        form = _form(script)
        if wallet.scheme == UNCOMPRESSED:
            raise _uncompressed()
        if form is None or (wallet.scheme is not None and wallet.scheme not in _FORMS):
            raise UnsupportedSigningError("The wallet's address is not one that a single key spends.")
        point = _point(wallet.public_key)
        fits = point is not None and script_of(form, point) == script
        if wallet.scheme is not None and not (fits and _FORMS[wallet.scheme] == form):
            raise SignatureRefusedError("The wallet's public key and scheme do not make its address.")
        own = scripts.address(chain, script)
        return cls(chain, own or wallet.address, script, form, point if fits else None)

    def spends(self, script: bytes, fields: Map) -> tuple[ScriptForm, bytes | None] | None:
        """Tell how the wallet's key alone spends a script; for taproot also under which root of scripts.

        ``fields`` are those of the PSBT's input. None where the key does not, or not alone.
        """
        if self.point is None:
            return (self.form, None) if script == self.script else None
        for form in _FORMS.values():
            if script == script_of(form, self.point):
                return form, None
        root = fields.get(TAP_MERKLE_ROOT)
        if root is None or fields.get(TAP_INTERNAL_KEY) != self.point[1:] or not scripts.is_p2tr(script):
            return None
        return ("p2tr", root) if signer.output_key(self.point, root) == script[2:] else None

    def key_hash(self, form: ScriptForm, script: bytes, fields: Map) -> bytes:
        """Return the hash of the public key that a script, of a form that this key spends, pays to.

        Raises SignatureRefusedError where only the redeem script would tell, and it is not there.
        """
        if form == "p2pkh":
            return script[3:23]
        if form == "p2wpkh":
            return script[2:]
        if self.point is not None:
            return hash160(self.point)
        redeem = fields.get(REDEEM_SCRIPT, b"")
        if not scripts.is_p2wpkh(redeem) or scripts.p2sh(hash160(redeem)) != script:
            raise SignatureRefusedError("The wallet's public key is not stored; the input needs its redeem script.")
        return redeem[2:]

    def opened(self, material: KeyMaterial) -> bytes:
        """Return the public key (33 bytes) of the opened key.

        Raises SignatureRefusedError where it is not the wallet's, UnsupportedSigningError where it is not compressed.
        """
        if material.scheme == UNCOMPRESSED:
            raise _uncompressed()
        point = secp256k1.public_key(material.private_key.reveal())
        if point is None or script_of(self.form, point) != self.script:
            raise SignatureRefusedError("The key that was opened does not derive the wallet's address.")
        return point


def _uncompressed() -> UnsupportedSigningError:
    return UnsupportedSigningError(
        "The wallet's public key is not compressed: strongroom keeps and proves such keys, and signs with none.",
        hint="`strongroom wallet export` shows the key as WIF; sweep the address with a wallet that signs with it.",
    )


@lru_cache(256)
def script_of(form: ScriptForm, point: bytes) -> bytes:
    """Return the output script that pays a public key in a form; taproot without scripts. BIP-86 for that."""
    if form == "p2tr":
        return scripts.p2tr(secp256k1.taproot_output(point))
    if form == "p2pkh":
        return scripts.p2pkh(hash160(point))
    if form == "p2wpkh":
        return scripts.p2wpkh(hash160(point))
    return scripts.p2sh(hash160(scripts.p2wpkh(hash160(point))))


def _form(script: bytes) -> ScriptForm | None:
    kinds: tuple[tuple[bool, ScriptForm], ...] = (
        (scripts.is_p2wpkh(script), "p2wpkh"),
        (scripts.is_p2tr(script), "p2tr"),
        (scripts.is_p2pkh(script), "p2pkh"),
        (scripts.is_p2sh(script), "p2sh-p2wpkh"),
    )
    return next((form for fits, form in kinds if fits), None)


def _point(text: str) -> bytes | None:
    if len(text) > _LONGEST_POINT_CHARACTERS:
        return None
    try:
        point = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return None
    return signer.compressed(point)
