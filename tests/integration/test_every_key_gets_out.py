"""Each key that strongroom can open, or was told how to open, gets out by the command that doctor's finding names."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import strongroom
from strongroom import Vault
from testbed.command_line import CommandResult, call
from testbed.databases.deployments import Deployment
from testbed.databases.guards import install, put, rows_gone

_MOST_COMMANDS = 20
_SCALARS = iter(range(0x1000, 0x2000))


def new_key() -> str:
    """A private key of 64 digits that no other test has."""
    return f"{next(_SCALARS):064x}"


class MisplacedKeys:
    """A database with one wallet for each way in which a key is not where it should be."""

    def __init__(self, deployment: Deployment, vault: Vault, folder: Path) -> None:
        self.deployment, self.vault, self.folder = deployment, vault, folder
        self.keys: dict[str, str] = {}
        """The private keys that must get out, by a word for each."""
        self.texts: dict[str, UUID] = {}
        """Texts of which no key is read, and where they were stored."""

    def wallet(self, word: str) -> strongroom.Wallet:
        key = new_key()
        self.keys[word] = key
        return self.vault.import_wallet(self.deployment.project(), "ethereum", private_key=key).wallet

    def plant(self) -> None:
        """Every state, with the guard in archive mode."""
        install(self.deployment)
        rows_gone(self.deployment, self.wallet("rows gone").id)
        gone = self.wallet("rows and record gone").id
        rows_gone(self.deployment, gone)
        self.deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", gone)
        put(self.deployment, self.wallet("emptied").id, "")
        self.keys["stored over another"] = new_key()
        put(self.deployment, self.wallet("overwritten by a key").id, self.keys["stored over another"])
        self.texts = {"a text that nothing explains": self.wallet("overwritten by no key").id}
        put(self.deployment, self.texts["a text that nothing explains"], "a text that nothing explains")
        self.texts["a note that nothing explains either"] = self.wallet("overwritten and put back").id
        put(self.deployment, self.texts["a note that nothing explains either"], "a note that nothing explains either")
        self.call("history", "restore", str(self.texts["a note that nothing explains either"]), "--archive-current")
        own = self.wallet("unsealed")
        put(self.deployment, own.id, self.keys["unsealed"])
        self.keys["in the metadata"] = new_key()
        self.put_into_metadata(self.wallet("whole, with another key in its metadata").id, self.keys["in the metadata"])
        other = self.wallet("whole")
        put(self.deployment, self.wallet("overwritten by a sealed text").id, self.deployment.texts()[other.id])
        self.plant_without_history()

    def put_into_metadata(self, wallet: UUID, text: str) -> None:
        value = "metadata::jsonb || jsonb_build_object('private_key_encrypted', ?::text)"
        if self.deployment.backend == "sqlite":
            value = "json_set(metadata, '$.private_key_encrypted', ?)"
        self.deployment.execute(f"UPDATE project_credentials SET metadata = {value} WHERE id = ?", text, wallet)

    def plant_without_history(self) -> None:
        """A wallet of the legacy application's kind: a key of another address, and nothing kept of its own."""
        found = self.wallet("was never kept")
        del self.keys["was never kept"]  # it is overwritten, and its history removed: lost
        self.keys["of another address"] = new_key()
        put(self.deployment, found.id, self.keys["of another address"])
        self.deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", found.id)

    # --- what doctor says, and what comes of it ------------------------------------------------------------------

    def doctor(self) -> dict[str, Any]:
        answer = self.call("doctor")
        assert answer.code in (0, 3), answer
        return answer.document

    def next_command(self, ran: list[str]) -> str | None:
        """The first command that was not run yet; a plan may be needed twice. Lost keys need paper, not a command."""
        document = self.doctor()
        for each in (*document["findings"], *document["notes"]):
            command: str = each["command"]
            repeated = ran.count(command) >= (2 if "repair" in command else 1)
            if command and not repeated and "store-key" not in command:
                return command
        return None

    def call(self, *words: str) -> CommandResult:
        return call(*words, "--json", "--database", self.deployment.url, "--root-key", self.deployment.root_key)

    def run(self, command: str, number: int) -> str:
        """Run a command as doctor printed it; a plan is applied, too. Returns what it printed."""
        words = shlex.split(command)
        assert words.pop(0) == "strongroom"
        plan = str(self.folder / f"plan-{number}.json")
        words = [plan if word == "plan.json" else word for word in words]
        answer = self.call(*words)
        assert answer.code == 0, (command, answer)
        if words[0] == "repair":
            applied = self.call("repair", "--apply", plan)
            assert applied.code == 0, applied
        return answer.out

    def everything_out(self, printed: list[str]) -> set[str]:
        """The keys that are out: printed, or in a wallet that proves and can be revealed."""
        out = "\n".join(printed)
        found = {word for word, key in self.keys.items() if key in out}
        for result in self.vault.verify():
            if result.code is None:
                shown = self.vault.reveal(result.id, actor="test", reason="is it out?")
                key = shown.private_key.reveal_text().removeprefix("0x")
                found |= {word for word, value in self.keys.items() if value == key}
        return found


@pytest.mark.thorough(sample=1)
@pytest.mark.one_server
def test_each_key_gets_out_by_the_command_of_its_finding(
    deployment: Deployment, vault_a: Vault, private_path: Path
) -> None:
    planted = MisplacedKeys(deployment, vault_a, private_path)
    planted.plant()
    printed: list[str] = []
    ran: list[str] = []
    while (command := planted.next_command(ran)) is not None:  # what one archives is named by the next look
        printed.append(planted.run(command, len(ran)))
        ran.append(command)
        assert len(ran) < _MOST_COMMANDS, ran
    assert planted.everything_out(printed) == set(planted.keys), ran
    texts = str(deployment.execute("SELECT encrypted_private_key FROM credential_vault_storage"))
    texts += str(deployment.execute("SELECT metadata FROM project_credentials"))
    texts += str(deployment.execute("SELECT text FROM strongroom_vault_history"))
    assert [word for word, key in planted.keys.items() if key in texts] == [], "no key is stored in plaintext any more"
    assert [text for text in planted.texts if text in texts] == [], "nor is a text that a person archived"
    assert [text for text in planted.texts if text not in "\n".join(printed)] == [], ran


@pytest.mark.parametrize("deployment", ["g3"], indirect=True)
def test_where_the_project_is_gone_too_the_command_is_one_that_works(
    deployment: Deployment, vault_a: Vault, private_path: Path
) -> None:
    install(deployment)
    planted = MisplacedKeys(deployment, vault_a, private_path)
    wallet, project = planted.wallet("cascaded"), deployment.execute("SELECT id FROM projects")[0][0]
    deployment.execute("DELETE FROM credential_usage_logs WHERE credential_id = ?", wallet.id)
    deployment.execute("DELETE FROM project_credentials WHERE id = ?", wallet.id)
    [found] = planted.doctor()["findings"]
    assert (found["code"], found["command"]) == ("wallet-rows-gone", f"strongroom history restore {wallet.id}")
    deployment.execute("DELETE FROM projects WHERE id = ?", project)
    [found] = planted.doctor()["findings"]
    assert planted.keys["cascaded"] in planted.run(found["command"], 0)
