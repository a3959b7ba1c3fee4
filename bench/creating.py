"""Creating: key work alone, a whole creation, and what remains of one when its key is already there."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

from bench import keywork
from bench.bare import Bare
from bench.grounds import Ground, House
from bench.homemade import HomemadeVault, new_account
from bench.keywork import NETWORK, BareWallet, Key
from bench.measure import Aim, Contestant, Measurement, race, ratio, times
from bench.proofs import Proof, prove_equal, prove_opens
from bench.registering import register_all
from strongroom.model import Actor, KeyMaterial, LogEntry, NewWallet, PublicHalf
from strongroom.networks import TABLE
from strongroom.phrase import Phrase
from strongroom.ports import Network
from strongroom.secret import Secret
from strongroom.usecases import create
from strongroom.usecases.order import Order, Wish, check_order
from strongroom.usecases.parts import Parts
from strongroom.vault import Vault

WARM_UP = 20
LABEL = "bench"

Draft = tuple[Order, NewWallet]


class GivenKeys:
    """A network whose keys were derived beforehand: what remains of a creation is strongroom's own."""

    def __init__(self, network: Network, keys: Sequence[Key]) -> None:
        self._network = network
        self._materials = iter(
            [
                KeyMaterial(Secret(key.private_key), keywork.SCHEME, keywork.PATH, Secret(key.mnemonic.encode()))
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
        self.schemes_of = network.schemes_of
        self.scheme_of_key = network.scheme_of_key
        self.scheme = network.scheme
        self.path = network.path
        self.parse_private_key = network.parse_private_key
        self.format_private_key = network.format_private_key
        self.parse_address = network.parse_address

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


def draft(parts: Parts, project_id: uuid.UUID) -> Draft:
    """All that strongroom does before it writes: make a key, seal it, open it again and prove it."""
    order = check_order(parts, Wish(project_id, NETWORK, LABEL, None, 12, None), "create", {"words": "12"})
    material = order.network.new_material(order.scheme, 12)
    half = order.network.public_half(material.private_key, material.scheme)
    return order, create.seal_new(parts, order, material, half, LogEntry("create", Actor()))


def measure_keys(ground: Ground, turns: int) -> list[Measurement]:
    """Key work without a database: ours includes the proof, which the floor leaves out."""
    with ground.house() as house:
        project, sealing, parts = uuid.uuid4(), house.sealing, house.parts
        phrase = keywork.new_phrase()
        return times(
            "key work",
            "",
            race(
                [
                    Contestant("PBKDF2 alone", lambda _: keywork.seed_of(phrase)),
                    Contestant("floor", lambda _: keywork.new_wallet(project, LABEL, keywork.new_key(), sealing)),
                    Contestant("strongroom, with its proof", lambda _: draft(parts, project)),
                    Contestant("home-made (eth-account)", lambda _: new_account()),
                ],
                turns,
                WARM_UP,
            ),
        )


def measure_create(ground: Ground, turns: int) -> tuple[list[Measurement], list[Aim], list[Proof]]:
    """A whole creation: floor, strongroom, home-made."""
    with ExitStack() as stack:
        floor, ours, theirs = (stack.enter_context(ground.house()) for _ in range(3))
        bare, vault, homemade = floor.bare(), ours.vault, HomemadeVault(theirs.default_engine())
        projects = [uuid.uuid4() for _ in range(WARM_UP + turns)]
        measured = times(
            "create",
            ground.kind,
            race(
                [
                    Contestant(
                        "floor",
                        lambda project: bare.write(
                            keywork.new_wallet(project, LABEL, keywork.new_key(), floor.sealing)
                        ),
                        projects,
                    ),
                    Contestant(
                        "strongroom", lambda project: vault.create_wallet(project, NETWORK, label=LABEL), projects
                    ),
                    Contestant("home-made", lambda project: homemade.create_wallet(project, LABEL), projects),
                ],
                turns,
                WARM_UP,
            ),
        )
        aims = [ratio("create, times its floor", 1.25, measured, "strongroom", "floor")]
        return measured, aims, prove_equal("create", floor, ours, len(projects))


def measure_existing(ground: Ground, turns: int) -> tuple[list[Measurement], list[Aim], list[Proof]]:
    """A whole creation in tables of other code, whose trigger writes an empty vault record behind every credential.

    The floor is one statement that takes the slot and writes both halves, log and history; it looks at nothing first.
    """
    with ExitStack() as stack:
        floor, ours = (stack.enter_context(ground.house("g4")) for _ in range(2))
        bare, vault, total = floor.bare(), ours.vault, WARM_UP + turns
        measured = times(
            "create on g4",
            ground.kind,
            race(
                [
                    Contestant(
                        "floor",
                        lambda project: bare.write(
                            keywork.new_wallet(project, LABEL, keywork.new_key(), floor.sealing)
                        ),
                        floor.new_projects(total),
                    ),
                    Contestant(
                        "strongroom",
                        lambda project: vault.create_wallet(project, NETWORK, label=LABEL),
                        ours.new_projects(total),
                    ),
                ],
                turns,
                WARM_UP,
            ),
        )
        register_all(floor)
        proofs = [
            prove_opens("create on g4: strongroom verifies what the floor wrote", floor, total),
            prove_opens("create on g4: strongroom verifies what it wrote", ours, total),
        ]
        return measured, [], proofs


def measure_own(ground: Ground, turns: int, keys: Sequence[Key]) -> tuple[list[Measurement], list[Proof]]:
    """What a creation costs when its key is already there: sealing and writing, and writing alone."""
    with ExitStack() as stack:
        houses = [stack.enter_context(ground.house()) for _ in range(4)]
        statement, write, sealed, given = houses
        total = WARM_UP + turns
        fitting = [keys[turn % len(keys)] for turn in range(total)]
        projects = [uuid.uuid4() for _ in range(total)]
        seal_first, vault = sealed.bare(), Vault(replace(given.parts, networks=GivenKeys(TABLE.get(NETWORK), fitting)))
        measured = times(
            "create, key given",
            ground.kind,
            race(
                [
                    Contestant("floor: statement", statement.bare().write, _sealed(statement, projects, fitting)),
                    Contestant(
                        "strongroom: write",
                        lambda drafted: create.write(write.parts, drafted[0], drafted[1], lambda: drafted[1]),
                        _drafts(write, projects, fitting),
                    ),
                    Contestant(
                        "floor: seal and statement",
                        lambda pair: seal_first.write(keywork.new_wallet(pair[0], LABEL, pair[1], sealed.sealing)),
                        list(zip(projects, fitting, strict=True)),
                    ),
                    Contestant(
                        "strongroom: look, seal, open again, write",
                        lambda project: vault.create_wallet(project, NETWORK, label=LABEL),
                        projects,
                    ),
                ],
                turns,
                WARM_UP,
            ),
        )
        proofs = prove_equal("statement", statement, write, total) + prove_equal("seal", sealed, given, total)
        return measured, proofs


def fill(bare: Bare, house: House, projects: Iterable[uuid.UUID], keys: Sequence[Key], each: int) -> None:
    """Write ``each`` wallets a project in one transaction, by the floor's hand."""
    wallets = [(project, f"label-{number}") for project in projects for number in range(each)]
    bare.write_all(
        keywork.new_wallet(project, label, keys[turn % len(keys)], house.sealing)
        for turn, (project, label) in enumerate(wallets)
    )
    register_all(house)


def _sealed(house: House, projects: Sequence[uuid.UUID], keys: Sequence[Key]) -> list[BareWallet]:
    return [keywork.new_wallet(project, LABEL, key, house.sealing) for project, key in zip(projects, keys, strict=True)]


def _drafts(house: House, projects: Sequence[uuid.UUID], keys: Sequence[Key]) -> list[Draft]:
    parts = replace(house.parts, networks=GivenKeys(TABLE.get(NETWORK), keys))
    return [draft(parts, project) for project in projects]
