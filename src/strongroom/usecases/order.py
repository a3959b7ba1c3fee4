"""What a caller asks for, and the same, checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from strongroom import identifiers
from strongroom.errors import InvalidMnemonicError, UnknownNetworkError, UnknownVariantError
from strongroom.model import Request
from strongroom.phrase import WORD_COUNTS
from strongroom.ports import Network
from strongroom.usecases.parts import Parts


@dataclass(frozen=True, slots=True)
class Wish:
    """What a caller asks for, as passed."""

    project_id: UUID | str
    network: str
    label: str
    variant: str | None
    words: int
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """A wish, checked."""

    project_id: UUID
    network: Network
    label: str
    variant: str | None
    scheme: str
    idempotency_key: str | None
    request: Request
    address: str | None = None
    """The address that an imported key derives; None where a key is to be made."""


def wishes(
    project_id: UUID | str, networks: Sequence[str], label: str, words: int, idempotency_key: str | None
) -> list[Wish]:
    """A wish for each network. Raises UnknownNetworkError for what is not a list of names."""
    if isinstance(networks, (str, bytes)) or not isinstance(networks, Iterable):
        raise UnknownNetworkError("create_wallets takes a list of network names.", hint='Pass ["ethereum", "solana"].')
    return [Wish(project_id, name, label, None, words, idempotency_key) for name in networks]


def check_order(parts: Parts, wish: Wish, operation: str, facts: dict[str, str]) -> Order:
    """Check what is common to create and import. Raises InvalidRequestError."""
    identifiers.check_text(wish.network, UnknownNetworkError)
    network = parts.networks.get(wish.network)
    label = identifiers.check_label(wish.label)
    if wish.variant is not None:
        identifiers.check_text(wish.variant, UnknownVariantError)
    scheme = network.scheme(wish.variant)
    if operation != "import" and wish.variant in network.imported_variants:
        raise UnknownVariantError(
            "Keys of this variant are imported; none is made.", hint=f"Choose one of {', '.join(network.variants)}."
        )
    return Order(
        project_id=identifiers.check_project_id(wish.project_id),
        network=network,
        label=label,
        variant=wish.variant,
        scheme=scheme,
        idempotency_key=identifiers.check_idempotency_key(wish.idempotency_key),
        request=Request(operation, network.name, label, {"variant": wish.variant or network.variants[0], **facts}),
    )


def check_words(words: int) -> None:
    """Raise InvalidMnemonicError for a number of words that no phrase has."""
    if not isinstance(words, int) or words not in WORD_COUNTS:
        raise InvalidMnemonicError("A phrase has 12, 15, 18, 21 or 24 words.", hint="Ask for 12 or 24 words.")


def create_order(parts: Parts, wish: Wish) -> Order:
    """Check an order for a key that is to be made. Raises InvalidRequestError."""
    check_words(wish.words)
    return check_order(parts, wish, "create", {"words": str(wish.words)})
