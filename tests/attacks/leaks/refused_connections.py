"""Drives for connections that cannot be made, with a password in the URL."""

from __future__ import annotations

import socket
from urllib.parse import quote

import strongroom
from testbed.databases.rows import execute
from testbed.servers.refusing import fatal, server_that_says
from tests.attacks.leaks.bench import SERVER, Bench, provokes

_SAID = {
    "password-refused": ("28P01", 'password authentication failed for user "u"'),
    "login-refused": ("28000", 'role "u" is not permitted to log in'),
    "database-not-found": ("3D000", 'database "x" does not exist'),
    "server-busy": ("53300", "sorry, too many clients already"),
    "tls-refused": ("08P01", "SSL required"),
    "startup-parameter": ("08P01", "unsupported startup parameter: options"),
}


def _opened(bench: Bench, port: int, more: str = "sslmode=disable", host: str = "127.0.0.1") -> object:
    password = quote(bench.watch.password(), safe="")
    url = f"postgresql://u:{password}@{host}:{port}/x?{more}"
    return strongroom.open(url, root_key=bench.root_key, connect_timeout_seconds=2, allow_plaintext_postgresql=True)


def _refusal(code: str, state: str, message: str) -> None:
    @provokes(code, SERVER)
    def refused(bench: Bench) -> object:
        with server_that_says(fatal(state, message)) as port:
            return _opened(bench, port)


for _code, _words in _SAID.items():
    _refusal(_code, *_words)


@provokes("connection-refused", SERVER)
def nobody_listens(bench: Bench) -> object:
    return _opened(bench, 1)


@provokes("host-not-found", SERVER)
def no_such_host(bench: Bench) -> object:
    return _opened(bench, 5432, host="no-such-host.invalid")


@provokes("connect-timeout", SERVER)
def nobody_answers(bench: Bench) -> object:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return _opened(bench, listener.getsockname()[1])


@provokes("tls-file", SERVER)
def no_file_for_tls(bench: Bench) -> object:
    with server_that_says(b"", to_ssl=b"S") as port:
        return _opened(bench, port, f"sslmode=verify-full&sslrootcert={bench.scene.folder}/none.pem")


@provokes("privilege-missing", SERVER)
def a_role_without_privileges(bench: Bench) -> object:
    url = bench.damaged.url
    role = "lacks_privileges"
    execute(url, f"CREATE ROLE {role} LOGIN BYPASSRLS")
    bench.healing.callback(execute, url, f"DROP ROLE {role}")
    execute(url, f"GRANT USAGE ON SCHEMA strongroom TO {role}")
    bench.healing.callback(execute, url, f"DROP OWNED BY {role}")
    return bench.open(url.replace("postgres@", f"{role}@"))
