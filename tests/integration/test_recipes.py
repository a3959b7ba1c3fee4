"""docs/recipes.md, run as it stands: FastAPI, Django, gunicorn with preload, Celery."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen
from uuid import uuid4

import psycopg
import pytest

from testbed.databases.rows import assert_whole, execute
from testbed.waiting import LONGEST_SECONDS
from tests.integration.other_connections import url_of

ROOT = Path(__file__).parents[2]
FILES = dict(re.findall(r"^```py\n# (\w+\.py)\n(.*?)^```", (ROOT / "docs" / "recipes.md").read_text(), re.M | re.S))
FASTAPI = """
import os, uuid
from fastapi.testclient import TestClient
from fastapi_app import app

project = uuid.uuid4()
with TestClient(app) as client:
    made = client.post(f"/projects/{project}/wallets/ethereum")
    assert made.status_code == 201, made.text
    assert client.get(f"/wallets/{made.json()['id']}").json() == made.json()
    again = client.post(f"/projects/{project}/wallets/ethereum")
    assert again.json() == made.json()
    for path, status, code in (
        (f"/wallets/{uuid.uuid4()}", 404, "wallet-not-found"),
        ("/wallets/none", 400, "invalid-wallet-id"),
    ):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
"""
DJANGO = """
import builtins, os, sys
import django
from django.conf import settings

real = builtins.__import__

def without_psycopg(name, *rest, **more):
    if name.partition(".")[0] == "psycopg":
        raise ImportError(name)
    return real(name, *rest, **more)

if sys.argv[3] == "psycopg2":  # as where psycopg is not installed: Django takes psycopg2 then
    builtins.__import__ = without_psycopg

database = {"ENGINE": "django.db.backends.postgresql", "NAME": sys.argv[1], "HOST": sys.argv[2], "USER": "postgres"}
database["PORT"] = sys.argv[4]
settings.configure(DATABASES={"default": database}, USE_TZ=False)
django.setup()
from django.db import connection, transaction
connection.ensure_connection()
builtins.__import__ = real
assert type(connection.connection).__module__.partition(".")[0] == sys.argv[3]
import django_wallets
from strongroom import ConnectionNotSupportedError, FailedTransactionError, KeyConflictError
from strongroom.integrations.django import connection_of
from strongroom.integrations.process import process_vault

wallet = django_wallets.create_project("first")
assert wallet.durable and wallet.proved
try:
    connection_of()
except ConnectionNotSupportedError:
    pass
else:
    raise AssertionError("outside of atomic()")
with transaction.atomic():
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO orders VALUES ('second')")
    try:
        process_vault().import_wallet(wallet.project_id, "ethereum", private_key="11" * 32, connection=connection_of())
    except KeyConflictError:
        pass
    else:
        raise AssertionError("another key")
    with transaction.atomic():
        process_vault().create_wallet(wallet.project_id, "bitcoin", connection=connection_of())
        transaction.set_rollback(True)
        try:
            connection_of()
        except FailedTransactionError:
            pass
        else:
            raise AssertionError("to be rolled back")
"""


@pytest.fixture
def environment(postgresql_vault_url: str, root_key_uri: str, private_path: Path) -> dict[str, str]:
    """The environment of an application, in a folder with the recipes, on a vault with a table of its own."""
    execute(postgresql_vault_url, "CREATE TABLE orders (id text PRIMARY KEY)")
    for name, text in FILES.items():
        (private_path / name).write_text(text)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STRONGROOM_")}
    return {
        **kept,
        "PYTHONPATH": f"{ROOT / 'src'}",
        "STRONGROOM_DATABASE_URL": postgresql_vault_url,
        "STRONGROOM_ROOT_KEY": root_key_uri,
        "APPLICATION_URL": url_of(postgresql_vault_url, "asyncpg"),
        "BROKER_URL": "filesystem://",
    }


def run(code: str, folder: Path, environment: dict[str, str], *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_recipe_of_fastapi(environment: dict[str, str], private_path: Path) -> None:
    run(FASTAPI, private_path, environment)
    assert_whole(environment["STRONGROOM_DATABASE_URL"], 1)


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_the_recipe_of_django(driver: str, environment: dict[str, str], private_path: Path) -> None:
    url = environment["STRONGROOM_DATABASE_URL"]
    with psycopg.connect(url) as server:
        name, host, port = server.info.dbname, server.info.host, server.info.port
    run(DJANGO, private_path, environment, name, host, driver, str(port))
    assert_whole(url, 1)
    assert [row[0][:6] for row in execute(url, "SELECT id FROM orders ORDER BY id")] == ["first:", "second"]


def test_the_recipe_of_gunicorn_with_preload(environment: dict[str, str], private_path: Path) -> None:
    """The workers ask for no root key: it is gone when they answer."""
    key = private_path / "copy.key"
    shutil.copy2(environment["STRONGROOM_ROOT_KEY"].removeprefix("file:"), key)
    environment["STRONGROOM_ROOT_KEY"] = f"file:{key}"
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--preload",
        "--workers",
        "3",
        "--bind",
        "127.0.0.1:0",
        "wsgi:application",
    ]
    log = private_path / "gunicorn.log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=private_path, env=environment, stderr=output, stdout=output)
    try:
        address = wait_for(log, r"Listening at: (http://\S+)")
        key.unlink()
        projects = [uuid4() for _ in range(4)]
        answers = {project: {urlopen(f"{address}/?{project}").read() for _ in range(5)} for project in projects}
    finally:
        server.terminate()
        server.wait(LONGEST_SECONDS)
    assert all(len(found) == 1 for found in answers.values())
    assert_whole(environment["STRONGROOM_DATABASE_URL"], 4)


def test_the_recipe_of_celery(environment: dict[str, str], private_path: Path) -> None:
    """On the file system, with processes that are forked."""
    folder = private_path / "broker"
    folder.mkdir()
    (private_path / "worker.py").write_text(
        "from tasks import app\n"
        f"paths = dict.fromkeys(('data_folder_in', 'data_folder_out', 'control_folder'), {str(folder)!r})\n"
        "app.conf.broker_transport_options = paths\n"
    )
    log = private_path / "celery.log"
    worker = [sys.executable, "-m", "celery", "-A", "worker", "worker", "--pool", "prefork", "-c", "2", "-l", "INFO"]
    url, project = environment["STRONGROOM_DATABASE_URL"], uuid4()
    with log.open("wb") as output:
        running = subprocess.Popen(
            [*worker, "--without-gossip", "--without-mingle"],
            cwd=private_path,
            env=environment,
            stderr=output,
            stdout=output,
        )
    try:
        send = "import sys, worker, tasks\nfor _ in range(3): tasks.create_wallet.delay(sys.argv[1], 'ethereum')"
        run(send, private_path, environment, str(project))
        wait_for(log, "(?s)succeeded.*succeeded.*(succeeded)")
    finally:
        running.terminate()
        running.wait(LONGEST_SECONDS)
    assert_whole(url, 1)


def wait_for(log: Path, pattern: str) -> str:
    """What a pattern captures in a log, once it is there."""
    for _ in range(600):
        if found := re.search(pattern, log.read_text()):
            return found[1]
        time.sleep(0.1)
    raise AssertionError(log.read_text())
