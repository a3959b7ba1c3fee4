"""Roles with what `strongroom grants` prints, on Citus: each does its verbs through the coordinator, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

import strongroom
from testbed.command_line import call
from testbed.databases.deployments import Deployment
from testbed.databases.granted_roles import (
    NOT_AN_OPERATORS,
    WHY,
    assert_changes_nothing,
    assert_creates_and_signs,
    assert_doctor_runs,
    assert_reads,
    create_roles,
    do_every_verb,
    grant,
    url_of,
)
from testbed.databases.moved_rows import move_all
from testbed.databases.rows import execute
from testbed.repair_choices import choose_all
from tests.citus.conftest import CITUS_URL

KINDS = ("reader", "creator", "signer", "operator", "doctor")


@pytest.fixture(scope="module")
def roles() -> Iterator[dict[str, str]]:
    """A role of each kind; Citus makes them on every node."""
    names = create_roles(CITUS_URL, KINDS)
    yield names
    for name in names.values():
        execute(CITUS_URL, f"DROP OWNED BY {name}")
        execute(CITUS_URL, f"DROP ROLE {name}")


@pytest.fixture
def as_role(distributed_url: str, roles: dict[str, str]) -> Callable[[str], str]:
    """The URL for the role of a kind, with what is printed for it."""

    def make(kind: str) -> str:
        grant(distributed_url, kind, roles[kind])
        return url_of(distributed_url, roles[kind])

    return make


def test_what_was_granted_before_the_tables_were_distributed_is_granted_again(
    citus_url: str, roles: dict[str, str], root_key_uri: str
) -> None:
    grant(citus_url, "creator", roles["creator"])
    assert call("distribute", "--apply", "--database", citus_url).code == 0
    project = uuid4()
    with strongroom.open(url_of(citus_url, roles["creator"]), root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
        with pytest.raises(strongroom.PrivilegeMissingError, match="project_credentials"):
            vault.sign_message(wallet, "hello")
        grant(citus_url, "creator", roles["creator"])
        assert vault.sign_message(wallet, "hello")


@pytest.mark.parametrize("kind", ["creator", "signer"])
def test_a_creator_creates_and_signs_and_nothing_else(
    kind: str, as_role: Callable[[str], str], root_key_uri: str
) -> None:
    url = as_role(kind)
    assert_creates_and_signs(url, uuid4(), root_key_uri)
    with psycopg.connect(url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.FeatureNotSupported):  # of what a lock needs nothing can be changed
            connection.execute("UPDATE strongroom.project_credentials SET project_id = gen_random_uuid()")


@pytest.mark.parametrize("kind", ["reader", "doctor"])
def test_who_reads_is_told_what_it_lacks(
    kind: str, as_role: Callable[[str], str], distributed_url: str, root_key_uri: str
) -> None:
    with strongroom.open(distributed_url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(uuid4(), "ethereum").wallet
    with strongroom.open(as_role(kind), root_key=root_key_uri) as vault:
        assert_reads(vault, wallet)
        status = vault.status().store
        assert (status.nodes, status.shards) == (2, 32)


def test_an_operator_does_every_verb_and_makes_no_table(as_role: Callable[[str], str], root_key_uri: str) -> None:
    project, url = uuid4(), as_role("operator")
    with strongroom.open(url, root_key=root_key_uri) as vault:
        do_every_verb(vault, project)
        assert vault.erase_project(project, **WHY).complete
    assert_changes_nothing(url, NOT_AN_OPERATORS)


def test_an_operator_brings_back_the_phrase_that_a_writer_put_into_another_project(
    as_role: Callable[[str], str], place: Deployment, root_key_uri: str, private_path: Path
) -> None:
    project, other, url, plan = uuid4(), uuid4(), as_role("operator"), str(private_path / "plan.json")
    with place.open() as vault:
        phrase = vault.create_phrase(project).phrase
    move_all(place, "strongroom_phrase", other)
    assert call("repair", "--plan", plan, "--database", url, "--root-key", root_key_uri).code == 0
    choose_all(Path(plan))
    assert call("repair", "--apply", plan, "--database", url, "--root-key", root_key_uri).code == 0
    with strongroom.open(url, root_key=root_key_uri) as vault:
        assert [vault.list_phrases(each).phrases for each in (project, other)] == [(phrase,), ()]
        assert vault.create_wallet(project, "ethereum", phrase="default").created


def test_doctor_runs_as_its_role(as_role: Callable[[str], str], distributed_url: str, root_key_uri: str) -> None:
    url = as_role("doctor")
    with strongroom.open(distributed_url, root_key=root_key_uri) as vault:
        vault.create_wallet(uuid4(), "ethereum")
    assert_doctor_runs(url, root_key_uri)
