"""Creating: key work alone, a whole creation, and what remains of one when its key is already there."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

from bench import crypto_baseline
from bench.backends import Backend, Installation
from bench.bare import Bare
from bench.crypto_baseline import NETWORK, BareKey, BareWallet
from bench.measure import Candidate, Measurement, Target, race, ratio, times, warm_up_turns
from bench.naive_baseline import NaiveVault, new_account
from bench.proofs import Proof, prove_equal, prove_opens
from bench.registering import register_all
from strongroom.crypto.phrase import Phrase
from strongroom.networks import TABLE
from strongroom.ports.network import Network
from strongroom.records.key_material import KeyMaterial, PublicHalf
from strongroom.records.stored_wallets import NewWallet
from strongroom.records.usage_log import Attribution, LogEntry
from strongroom.secret import Secret
from strongroom.usecases import create
from strongroom.usecases.context import VaultContext
from strongroom.usecases.requests import CreateRequest, ValidatedRequest, validate_request
from strongroom.vault.vault import Vault

LABEL = "bench"

Draft = tuple[ValidatedRequest, NewWallet]


class GivenKeys:
    """A network whose keys were derived beforehand: what remains of a creation is strongroom's own."""

    def __init__(self, network: Network, keys: Sequence[BareKey]) -> None:
        self._network = network
        self._materials = iter(
            [
                KeyMaterial(
                    Secret(key.private_key), crypto_baseline.SCHEME, crypto_baseline.PATH, Secret(key.mnemonic.encode())
                )
                for key in keys
            ]
        )
        self._halves = {key.private_key: PublicHalf(key.public_key, key.address) for key in keys}
        self.name = network.name
        self.caip2 = network.caip2
        self.variants = network.variants
        self.imported_variants = network.imported_variants
        self.schemes = network.schemes
        self.conventions = network.conventions
        self.address_space = network.address_space
        self.coin_type, self.explorer, self.key_forms = network.coin_type, network.explorer, network.key_forms
        self.curve = network.curve
        self.key_shape = network.key_shape
        self.names = (network.name,)
        self.chains = (network,)
        self.schemes_of = network.schemes_of
        self.scheme_of_key = network.scheme_of_key
        self.scheme = network.scheme
        self.path = network.path
        self.parse_private_key = network.parse_private_key
        self.format_private_key = network.format_private_key
        self.parse_address = network.parse_address

    def __contains__(self, name: object) -> bool:
        return name == self.name

    def derive(self, phrase: Phrase, scheme: str, path: str | None = None) -> KeyMaterial:
        """The next key that was given."""
        return next(self._materials)

    def new_material(self, scheme: str, words: int, random_bytes: Callable[[int], bytes] = os.urandom) -> KeyMaterial:
        """The next key that was given."""
        return next(self._materials)

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Look it up."""
        return self._halves[private_key.reveal()]

    def get(self, name: str) -> Network:
        """Be a table of networks, too."""
        return self

    def __iter__(self) -> Iterator[Network]:
        yield self

    def identifier(self, phrase: Phrase) -> str:
        """That of any table."""
        return TABLE.identifier(phrase)


def draft(context: VaultContext, project_id: uuid.UUID) -> Draft:
    """All that strongroom does before it writes: make a key, seal it, open it again and prove it."""
    validated = validate_request(
        context, CreateRequest(project_id, NETWORK, LABEL, None, 12, None), "create", {"words": "12"}
    )
    material = validated.network.new_material(validated.scheme, 12)
    half = validated.network.public_half(material.private_key, material.scheme)
    return validated, create.seal_new(context, validated, material, half, LogEntry("create", Attribution()))


def measure_keys(backend: Backend, turns: int) -> list[Measurement]:
    """Key work without a database: ours includes the proof, which the floor leaves out."""
    with backend.installation() as installation:
        project, sealing, context = uuid.uuid4(), installation.sealing, installation.context
        phrase = crypto_baseline.new_phrase()
        return times(
            "key work",
            "",
            race(
                [
                    Candidate("PBKDF2 alone", lambda _: crypto_baseline.seed_of(phrase)),
                    Candidate(
                        "floor",
                        lambda _: crypto_baseline.new_wallet(project, LABEL, crypto_baseline.new_key(), sealing),
                    ),
                    Candidate("strongroom, with its proof", lambda _: draft(context, project)),
                    Candidate("home-made (eth-account)", lambda _: new_account()),
                ],
                turns,
                warm_up_turns(turns),
            ),
        )


def measure_create(backend: Backend, turns: int) -> tuple[list[Measurement], list[Target], list[Proof]]:
    """A whole creation: floor, strongroom, home-made."""
    with ExitStack() as stack:
        floor, ours, theirs = (stack.enter_context(backend.installation()) for _ in range(3))
        bare, vault, naive = floor.bare(), ours.vault, NaiveVault(theirs.default_engine())
        projects = [uuid.uuid4() for _ in range(warm_up_turns(turns) + turns)]
        measured = times(
            "create",
            backend.kind,
            race(
                [
                    Candidate(
                        "floor",
                        lambda project: bare.write(
                            crypto_baseline.new_wallet(project, LABEL, crypto_baseline.new_key(), floor.sealing)
                        ),
                        projects,
                    ),
                    Candidate(
                        "strongroom", lambda project: vault.create_wallet(project, NETWORK, label=LABEL), projects
                    ),
                    Candidate("home-made", lambda project: naive.create_wallet(project, LABEL), projects),
                ],
                turns,
                warm_up_turns(turns),
            ),
        )
        targets = [ratio("create, times its floor", 1.25, measured, "strongroom", "floor")]
        return measured, targets, prove_equal("create", floor, ours, len(projects))


def measure_existing(backend: Backend, turns: int) -> tuple[list[Measurement], list[Target], list[Proof]]:
    """A whole creation in legacy tables, whose trigger writes an empty vault record behind every credential.

    The floor is one statement that takes the slot and writes both halves, log and history; it looks at nothing first.
    """
    with ExitStack() as stack:
        floor, ours = (stack.enter_context(backend.installation("g4")) for _ in range(2))
        bare, vault, total = floor.bare(), ours.vault, warm_up_turns(turns) + turns
        measured = times(
            "create on g4",
            backend.kind,
            race(
                [
                    Candidate(
                        "floor",
                        lambda project: bare.write(
                            crypto_baseline.new_wallet(project, LABEL, crypto_baseline.new_key(), floor.sealing)
                        ),
                        floor.new_projects(total),
                    ),
                    Candidate(
                        "strongroom",
                        lambda project: vault.create_wallet(project, NETWORK, label=LABEL),
                        ours.new_projects(total),
                    ),
                ],
                turns,
                warm_up_turns(turns),
            ),
        )
        register_all(floor)
        proofs = [
            prove_opens("create on g4: strongroom verifies what the floor wrote", floor, total),
            prove_opens("create on g4: strongroom verifies what it wrote", ours, total),
        ]
        return measured, [], proofs


def measure_own(backend: Backend, turns: int, keys: Sequence[BareKey]) -> tuple[list[Measurement], list[Proof]]:
    """What a creation costs when its key is already there: sealing and writing, and writing alone."""
    with ExitStack() as stack:
        houses = [stack.enter_context(backend.installation()) for _ in range(4)]
        statement, write, sealed, given = houses
        total = warm_up_turns(turns) + turns
        fitting = [keys[turn % len(keys)] for turn in range(total)]
        projects = [uuid.uuid4() for _ in range(total)]
        seal_first, vault = (
            sealed.bare(),
            Vault(replace(given.context, networks=GivenKeys(TABLE.get(NETWORK), fitting))),
        )
        measured = times(
            "create, key given",
            backend.kind,
            race(
                [
                    Candidate("floor: statement", statement.bare().write, _sealed(statement, projects, fitting)),
                    Candidate(
                        "strongroom: write",
                        lambda drafted: create.write(write.context, drafted[0], drafted[1], lambda: drafted[1]),
                        _drafts(write, projects, fitting),
                    ),
                    Candidate(
                        "floor: seal and statement",
                        lambda pair: seal_first.write(
                            crypto_baseline.new_wallet(pair[0], LABEL, pair[1], sealed.sealing)
                        ),
                        list(zip(projects, fitting, strict=True)),
                    ),
                    Candidate(
                        "strongroom: look, seal, open again, write",
                        lambda project: vault.create_wallet(project, NETWORK, label=LABEL),
                        projects,
                    ),
                ],
                turns,
                warm_up_turns(turns),
            ),
        )
        proofs = prove_equal("statement", statement, write, total) + prove_equal("seal", sealed, given, total)
        return measured, proofs


def fill(
    bare: Bare, installation: Installation, projects: Iterable[uuid.UUID], keys: Sequence[BareKey], each: int
) -> None:
    """Write ``each`` wallets a project in one transaction, by the floor's hand."""
    wallets = [(project, f"label-{number}") for project in projects for number in range(each)]
    bare.write_all(
        crypto_baseline.new_wallet(project, label, keys[turn % len(keys)], installation.sealing)
        for turn, (project, label) in enumerate(wallets)
    )
    register_all(installation)


def _sealed(installation: Installation, projects: Sequence[uuid.UUID], keys: Sequence[BareKey]) -> list[BareWallet]:
    return [
        crypto_baseline.new_wallet(project, LABEL, key, installation.sealing)
        for project, key in zip(projects, keys, strict=True)
    ]


def _drafts(installation: Installation, projects: Sequence[uuid.UUID], keys: Sequence[BareKey]) -> list[Draft]:
    context = replace(installation.context, networks=GivenKeys(TABLE.get(NETWORK), keys))
    return [draft(context, project) for project in projects]
