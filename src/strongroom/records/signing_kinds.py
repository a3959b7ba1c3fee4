"""Which kinds of payloads a network signs, and what a caller may say with each: data that a network declares.

The arguments of ``Vault.sign``, the commands of ``strongroom sign`` and the tables of docs/signing.md follow from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from strongroom.errors import MalformedPayloadError, UnsupportedSigningError
from strongroom.records.signing import SigningRequest

OptionType = Literal["flag", "amount", "choice", "choices", "bytes", "list"]
PayloadForm = Literal["bytes", "text", "mapping", "json", "hex", "base64", "base58"]
_NAME = re.compile("[A-Za-z_]{1,32}")


@dataclass(frozen=True, slots=True)
class Option:
    """What a caller may say with a payload."""

    name: str
    """As in Python: ``max_fee``; on the command line ``--max-fee``, and ``--no-NAME`` for a flag that is on."""
    type: OptionType
    """``flag``: True or False; ``amount``: an int from 0 in base units; ``choice``: one of the choices; ``choices``: a
    list of them; ``bytes``: bytes, or their text in the chain's encoding; ``list``: a list that the network reads."""
    help: str
    """One sentence, for help texts and schemas."""
    default: Any = None
    """What holds where it is not given; None: the network decides."""
    choices: tuple[str, ...] = ()
    metavar: str = ""
    """What stands for its value in the help of the command line."""
    command_line: str = ""
    """Its name on the command line where that is not made of ``name``, without dashes."""
    for_vault: bool = False
    """Whether the vault acts on it, for every network alike; the network never sees it."""


ALLOW_RETIRED = Option("allow_retired", "flag", "Also with a wallet that was replaced.", False, for_vault=True)
REPLACE = Option(
    "replace", "flag", "It replaces what was signed under this nonce, and pays a higher fee.", False, for_vault=True
)
NONCE_GUARD = Option(
    "nonce_guard", "flag", "Also where something else was signed under this nonce.", True, for_vault=True
)
DANGEROUS = Option("dangerous", "flag", "Sign though nobody can tell what it stands for.", False, for_vault=True)
FOR_VAULT = {each.name: each for each in (ALLOW_RETIRED, REPLACE, NONCE_GUARD, DANGEROUS)}
"""What a vault acts on, where a kind declares it."""


@dataclass(frozen=True, slots=True)
class SigningKind:
    """A kind of payload that wallets of a network sign."""

    name: str
    """Lower case with hyphens: ``typed-data``. The same name is the same kind on every network."""
    noun: str
    """What is signed: ``a message``; one noun for a name."""
    standard: str
    """Under which standards and in which notations, with the family: ``EIP-191 (EVM)``."""
    forms: tuple[PayloadForm, ...]
    """How a payload may be written; ``text`` says that the payload itself is any text."""
    options: tuple[Option, ...] = (ALLOW_RETIRED,)
    by_name: Mapping[str, Option] = field(init=False, repr=False, compare=False)
    """The options by name."""
    defaults: Mapping[str, Any] = field(init=False, repr=False, compare=False)
    """What the network gets where nothing is given."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {each.name: each for each in self.options})
        own = {each.name: each.default for each in self.options if not each.for_vault}
        object.__setattr__(self, "defaults", own)

    @property
    def dangerous(self) -> bool:
        """Whether a caller has to say that it is meant."""
        return DANGEROUS.name in self.by_name


def by_name(*kinds: SigningKind) -> Mapping[str, SigningKind]:
    """The declaration of a network, made of its kinds, in order."""
    return {each.name: each for each in kinds}


class VaultOptions(NamedTuple):
    """What a vault acts on itself, see ``FOR_VAULT``."""

    allow_retired: bool = False
    replace: bool = False
    nonce_guard: bool = True
    dangerous: bool = False


_NOTHING_SAID = VaultOptions()


class CheckedRequest(NamedTuple):
    """A request whose kind is declared, and whose options are declared and of their types."""

    request: SigningRequest
    """For the network: its own options alone, every one of them, at its default where it was not given."""
    vault: VaultOptions
    kind: SigningKind


def check_request(network: str, kinds: Mapping[str, SigningKind], request: SigningRequest) -> CheckedRequest:
    """Check kind and options of a request against what a network declares; the one place where this is done.

    Raises UnsupportedSigningError for another kind, MalformedPayloadError for an unknown option or a value of
    another type; what a caller passed is in no message.
    """
    kind = kinds.get(request.kind) if isinstance(request.kind, str) else None
    if kind is None:
        raise UnsupportedSigningError(
            f"The network {network} does not sign this kind of payload.", hint=f"It signs: {', '.join(kinds)}."
        )
    given = _mapping(request.options)
    if not given:
        return CheckedRequest(SigningRequest(kind.name, request.payload, kind.defaults), _NOTHING_SAID, kind)
    own: dict[str, Any] = dict(kind.defaults)
    vault: dict[str, Any] = {}
    for name, value in given.items():
        option = kind.by_name.get(name) if isinstance(name, str) else None
        if option is None and isinstance(name, str) and name in FOR_VAULT and value is FOR_VAULT[name].default:
            continue  # a named verb passes it on; at its default it says nothing
        if option is None:
            raise MalformedPayloadError(f"An option is unknown for this kind: {_shown(name)}.", hint=_known(kind))
        _check_value(option, value)
        (vault if option.for_vault else own)[option.name] = value
    return CheckedRequest(SigningRequest(kind.name, request.payload, own), VaultOptions(**vault), kind)


def _mapping(options: object) -> Mapping[Any, Any]:
    if type(options) is dict:
        return options
    copy = None
    if isinstance(options, Mapping):
        try:
            copy = dict(options)
        except Exception:  # noqa: BLE001 - other people's mappings raise what they like
            copy = None
    if copy is None:
        raise MalformedPayloadError("The options are not a mapping of names to values.")
    return copy


def _check_value(option: Option, value: object) -> None:
    fits, takes = _TYPES[option.type]
    if not fits(value, option.choices):
        raise MalformedPayloadError(f"The option {option.name} takes {takes}{', '.join(option.choices)}.")


def _is_amount(value: object, _: tuple[str, ...]) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_choice(value: object, choices: tuple[str, ...]) -> bool:
    return isinstance(value, str) and value in choices


def _is_choices(value: object, choices: tuple[str, ...]) -> bool:
    return isinstance(value, (list, tuple, set, frozenset)) and all(_is_choice(each, choices) for each in value)


_TYPES: Mapping[OptionType, tuple[Callable[[object, tuple[str, ...]], bool], str]] = {
    "flag": (lambda value, _: isinstance(value, bool), "True or False"),
    "amount": (_is_amount, "an integer, 0 or more"),
    "choice": (_is_choice, "one of: "),
    "choices": (_is_choices, "a list of: "),
    "bytes": (lambda value, _: isinstance(value, (bytes, bytearray, str)), "bytes, or their text"),
    "list": (lambda value, _: isinstance(value, (list, tuple)), "a list"),
}


def _known(kind: SigningKind) -> str:
    names = ", ".join(kind.by_name)
    return f"The options of this kind are: {names}." if names else "It takes none."


def _shown(name: object) -> str:
    """An option's name for a message; one that might be a value is not shown."""
    return name if isinstance(name, str) and _NAME.fullmatch(name) else "(not shown)"


def merged(kinds: Iterable[SigningKind]) -> SigningKind:
    """One kind as several networks declare it: every form and option, with the help texts of all of them.

    An option of one name has one type and one default in all of them.
    """
    every = list(kinds)
    found: dict[str, list[Option]] = {}
    for option in (each for kind in every for each in kind.options):
        found.setdefault(option.name, []).append(option)
    options = sorted(map(_merged_option, found.values()), key=lambda each: each.name == ALLOW_RETIRED.name)
    standards = "; ".join(dict.fromkeys(each.standard for each in every))
    forms = tuple(dict.fromkeys(form for each in every for form in each.forms))
    return SigningKind(every[0].name, every[0].noun, standards, forms, tuple(options))


def _merged_option(same: list[Option]) -> Option:
    choices = tuple(dict.fromkeys(choice for each in same for choice in each.choices))
    return replace(same[0], help=" ".join(dict.fromkeys(each.help for each in same)), choices=choices)
