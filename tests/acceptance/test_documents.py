"""What the documents claim is true: examples run, the error reference equals the code, links lead somewhere."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from strongroom.cli.exit_codes import exit_code_of
from strongroom.errors import StrongroomError, all_errors

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
RUNNABLE_DOCS = ("quickstart", "transactions", "supabase", "keys", "signing", "python-takeover")
RUNNABLE = [ROOT / "README.md", *(ROOT / "docs" / f"{name}.md" for name in RUNNABLE_DOCS)]
CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
ROW = re.compile(r"^\| `([a-z-]+)` \| `(\w+)` \| (\d) \| (yes|no) \| (.+) \| (.+) \|$", re.MULTILINE)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("document", RUNNABLE, ids=name)
def test_the_examples_of_a_document_run_as_they_stand(document: Path, private_path: Path) -> None:
    blocks = CODE.findall(document.read_text())
    assert blocks
    script = private_path / "example.py"
    script.write_text("\n".join(blocks))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("STRONGROOM_")}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=private_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_to_files_and_headings_that_exist(document: Path) -> None:
    for target in LINK.findall(document.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        file, _, anchor = target.partition("#")
        path = document.parent / file if file else document
        assert path.exists(), f"{name(document)} links to {target}"
        if anchor:
            anchors = {
                re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
                for heading in HEADING.findall(path.read_text())
            }
            assert anchor in anchors, f"{name(document)} links to {target}"


def test_the_error_reference_equals_the_code() -> None:
    documented = {row[0]: row[1:] for row in ROW.findall((ROOT / "docs" / "errors.md").read_text())}
    expected = {
        kind.code: (
            kind.__name__,
            str(exit_code_of(kind)),
            "yes" if kind.retryable else "no",
            " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split()).replace("|", "\\|"),
            kind.default_hint.replace("|", "\\|"),
        )
        for kind in all_errors()
        if kind is not StrongroomError
    }
    assert documented == expected


def test_every_code_is_unique_and_every_error_has_a_hint() -> None:
    codes = [kind.code for kind in all_errors()]
    assert len(codes) == len(set(codes))
    assert all(kind.default_hint and kind.__doc__ for kind in all_errors())


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 90


def test_each_decision_has_a_number_of_its_own_and_is_listed() -> None:
    records = sorted(path.name for path in (ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert [each[:4] for each in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    listed = re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", (ROOT / "docs" / "adr" / "README.md").read_text())
    assert listed == records
