"""What a caller asks for, and the same, checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from strongroom.crypto.phrase import WORD_COUNTS
from strongroom.errors import InvalidMnemonicError, UnknownNetworkError, UnknownVariantError
from strongroom.ports.network import Network
from strongroom.records import identifiers
from strongroom.records.register import IdempotencyRecord
from strongroom.records.requests import Request
from strongroom.usecases.context import VaultContext


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """What a caller asks for, as passed."""

    project_id: UUID | str
    network: str
    label: str
    variant: str | None
    words: int
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class ValidatedRequest:
    """A request whose network, label, scheme and key were checked: every value can be written."""

    project_id: UUID
    network: Network
    label: str
    variant: str | None
    scheme: str
    idempotency_key: str | None
    request: Request
    address: str | None = None
    """The address that an imported key derives; None where a key is to be made."""

    def remembered_as(self, wallet_id: UUID) -> IdempotencyRecord | None:
        """What the idempotency key remembers of the wallet that answers it; None where there is no key."""
        if self.idempotency_key is None:
            return None
        return IdempotencyRecord(self.project_id, self.idempotency_key, self.request.as_json(), wallet_id)


def create_requests(
    project_id: UUID | str, networks: Sequence[str], label: str, words: int, idempotency_key: str | None
) -> list[CreateRequest]:
    """A request for each network. Raises UnknownNetworkError for what is not a list of names."""
    if isinstance(networks, (str, bytes)) or not isinstance(networks, Iterable):
        raise UnknownNetworkError("create_wallets takes a list of network names.", hint='Pass ["ethereum", "solana"].')
    return [CreateRequest(project_id, name, label, None, words, idempotency_key) for name in networks]


def validate_request(
    context: VaultContext, request: CreateRequest, operation: str, facts: dict[str, str]
) -> ValidatedRequest:
    """Check what is common to create and import. Raises InvalidRequestError."""
    identifiers.check_text(request.network, UnknownNetworkError)
    network = context.networks.get(request.network)
    label = identifiers.check_label(request.label)
    if request.variant is not None:
        identifiers.check_text(request.variant, UnknownVariantError)
    scheme = network.scheme(request.variant)
    if operation != "import" and request.variant in network.imported_variants:
        raise UnknownVariantError(
            "Keys of this variant are imported; none is made.", hint=f"Choose one of {', '.join(network.variants)}."
        )
    return ValidatedRequest(
        project_id=identifiers.check_project_id(request.project_id),
        network=network,
        label=label,
        variant=request.variant,
        scheme=scheme,
        idempotency_key=identifiers.check_idempotency_key(request.idempotency_key),
        request=Request(operation, network.name, label, {"variant": request.variant or network.variants[0], **facts}),
    )


def check_words(words: int) -> None:
    """Raise InvalidMnemonicError for a number of words that no phrase has."""
    if not isinstance(words, int) or words not in WORD_COUNTS:
        raise InvalidMnemonicError("A phrase has 12, 15, 18, 21 or 24 words.", hint="Ask for 12 or 24 words.")


def validate_create_request(context: VaultContext, request: CreateRequest) -> ValidatedRequest:
    """Check a request for a key that is to be made. Raises InvalidRequestError."""
    check_words(request.words)
    return validate_request(context, request, "create", {"words": str(request.words)})
