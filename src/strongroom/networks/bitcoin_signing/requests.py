"""Which kinds a Bitcoin wallet signs, and who prepares each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from strongroom.errors import UnsupportedSigningError
from strongroom.model import Wallet
from strongroom.networks.bitcoin_signing import bare_hash, messages, prepared_psbt
from strongroom.networks.bitcoin_signing.owner import Owner
from strongroom.signing import Kind, Prepared, ToSign

if TYPE_CHECKING:
    from strongroom.networks.bitcoin import Bitcoin

_KINDS: dict[Kind, Callable[[Owner, ToSign], Prepared]] = {
    "psbt": prepared_psbt.prepare,
    "message": messages.prepare,
    "bare-hash": bare_hash.prepare,
}


def prepare(chain: Bitcoin, wallet: Wallet, request: ToSign) -> Prepared:
    """Check a request and hash it, for a wallet of a chain. Raises subclasses of SigningError only."""
    make = _KINDS.get(request.kind)
    if make is None:
        raise UnsupportedSigningError(
            "A Bitcoin wallet does not sign this kind.", hint=f"It signs: {', '.join(_KINDS)}."
        )
    return make(Owner.of(chain, wallet), request)
