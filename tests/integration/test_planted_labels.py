"""A row that somebody wrote ends no active phrase by its label: no repair does so that nobody chose."""

from __future__ import annotations

import pytest

from testbed.databases.attacked import Attacked
from tests.integration.test_stray_phrases import chosen

pytestmark = pytest.mark.parametrize("attacked", ["sqlite", "g4"], indirect=True)


def test_a_planted_row_with_the_label_ends_no_phrase(attacked: Attacked) -> None:
    """The row of a phrase was moved to another project, and that project's phrase to this one, under its label."""
    deployment = attacked.deployment
    project, other = deployment.project(), deployment.project()
    with deployment.open() as vault:
        phrase = vault.create_phrase(project).phrase
        vault.create_wallet(project, "ethereum", phrase="default")
        planted = vault.create_phrase(other, label="planted").phrase
    move = "UPDATE strongroom_phrase SET project_id = ?, label = ? WHERE phrase_id = ?"
    deployment.execute(move, other, "default", phrase.id)
    deployment.execute(move, project, "default", planted.id)
    about = [each for each in attacked.doctor() if each["row"] == str(phrase.id)]
    assert not any(each["automatic"] for each in about)
    assert any(str(planted.id) in each["evidence"] for each in about)
    attacked.apply(attacked.plan())
    states = {str(each): state for each, state in deployment.execute("SELECT phrase_id, status FROM strongroom_phrase")}
    assert states == {str(phrase.id): "active", str(planted.id): "active"}
    deployment.execute(move, other, "planted", planted.id)
    assert attacked.apply(chosen(attacked)).code == 0
    with deployment.open() as vault:
        assert vault.create_wallet(project, "ethereum", label="next", phrase="default").created


def test_a_newer_phrase_with_the_label_ends_it(attacked: Attacked) -> None:
    """Made while the row was elsewhere: that is what strongroom wrote, and no choice is left."""
    deployment = attacked.deployment
    project, other = deployment.project(), deployment.project()
    with deployment.open() as vault:
        phrase = vault.create_phrase(project).phrase
        deployment.execute("UPDATE strongroom_phrase SET project_id = ?", other)
        newer = vault.create_phrase(project).phrase
    assert attacked.apply(attacked.plan()).code == 0
    states = {str(each): state for each, state in deployment.execute("SELECT phrase_id, status FROM strongroom_phrase")}
    assert states == {str(phrase.id): "replaced", str(newer.id): "active"}
