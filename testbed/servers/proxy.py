"""A TCP proxy in front of a PostgreSQL server that cuts the connection at a chosen protocol message.

It reads the framing of protocol 3 (a startup packet, then type byte and length) and remembers which SQL a
prepared statement and a portal stand for, so that an Execute is known by its text. It speaks no TLS, and
answers ``N`` for the server when asked for it.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote

Mode = Literal["before", "after", "in_flight"]
Sender = Literal["client", "server"]

_SSL_REQUEST, _GSS_REQUEST, _CANCEL_REQUEST = 80877103, 80877104, 80877102
_ENDS_A_CYCLE = frozenset("QSF")
"""Query, Sync, FunctionCall: the server answers each with one ReadyForQuery."""


@dataclass(frozen=True, slots=True)
class ProtocolMessage:
    """One protocol message, as a predicate sees it."""

    sender: Sender
    kind: str
    """The type byte; empty for the startup packet."""
    sql: str | None = None
    """The text that a client's message parses, binds or runs, where it does."""


Predicate = Callable[[ProtocolMessage], bool]


_SCHEMA = re.compile(r'"[^"]*"\.(?=\w)')


def runs(pattern: str) -> Predicate:
    """Match the message that runs SQL in which the pattern is found: a Query, or the Execute of a portal.

    The pattern names tables without their schemas.
    """
    wanted = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return lambda message: (
        message.sender == "client"
        and message.kind in ("Q", "E")
        and message.sql is not None
        and wanted.search(_SCHEMA.sub("", message.sql)) is not None
    )


COMMIT: Predicate = runs(r"^\s*COMMIT\b")
"""An explicit COMMIT. In autocommit the writing statement itself commits: match that with ``runs``."""


def nth(number: int, sender: Sender | None = None) -> Predicate:
    """Match the n-th message (from 1) of the client, of the server, or of both, from when it is armed."""
    seen = 0

    def matches(message: ProtocolMessage) -> bool:
        nonlocal seen
        seen += sender is None or message.sender == sender
        return seen == number

    return matches


@dataclass
class Trap:
    """What the proxy waits for, and whether it came."""

    predicate: Predicate
    mode: Mode
    times: int = 1
    stay_down: bool = False
    caught: list[ProtocolMessage] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    """Set when the last connection has been cut."""

    @property
    def fired(self) -> bool:
        """Whether a message was caught."""
        return bool(self.caught)

    def catches(self, message: ProtocolMessage) -> bool:
        """Whether this message is what the trap waits for; remembers it then."""
        if len(self.caught) >= self.times or not self.predicate(message):
            return False
        self.caught.append(message)
        return True


class Proxy:
    """A proxy on a free port of the loopback device; every thread is a daemon and ends with ``close``."""

    def __init__(self, socket_path: Path) -> None:
        self._socket_path = socket_path
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.settimeout(0.1)
        self._lock = threading.Lock()
        self._trap: Trap | None = None
        self._links: set[_Link] = set()
        self._down = False
        self._closed = False
        self._acceptor = threading.Thread(target=self._accept, name="proxy", daemon=True)
        self._acceptor.start()

    @property
    def port(self) -> int:
        """The port that clients connect to."""
        return int(self._listener.getsockname()[1])

    def url(self, database: str) -> str:
        """The URL of a database through this proxy."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{quote(database)}?sslmode=disable"

    def arm(self, predicate: Predicate, mode: Mode, *, times: int = 1, stay_down: bool = False) -> Trap:
        """Cut the connection whose message the predicate matches, ``times`` times; replaces an earlier trap.

        ``before``: the message does not reach the server. ``after``: it does, with all up to the next Sync;
        the server's answer is awaited and dropped. ``in_flight``: the same, not awaited. A server's message
        is dropped by ``before`` and delivered by the others; a startup packet is always dropped. ``stay_down``
        refuses new connections from then on.
        """
        trap = Trap(predicate, mode, times, stay_down)
        with self._lock:
            self._trap = trap
        return trap

    def disarm(self) -> None:
        """Let everything pass, and accept connections again."""
        with self._lock:
            self._trap = None
            self._down = False

    def cut_all(self, *, stay_down: bool = False) -> None:
        """Cut every connection now."""
        with self._lock:
            self._down = self._down or stay_down
            links = list(self._links)
        for link in links:
            link.cut()

    def close(self) -> None:
        """Cut every connection, stop listening, and wait for the threads."""
        self._closed = True
        self._acceptor.join(timeout=10)
        self._listener.close()
        self.cut_all()
        for link in list(self._links):
            link.thread.join(timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def caught_by(self, message: ProtocolMessage) -> Trap | None:
        """The trap, if this message springs it; the proxy goes down then if the trap says so."""
        with self._lock:
            trap = self._trap
            if trap is None or not trap.catches(message):
                return None
            self._down = self._down or trap.stay_down
            return trap

    def forget(self, link: _Link) -> None:
        """Called by a link when it has ended."""
        with self._lock:
            self._links.discard(link)

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            client.settimeout(None)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                if self._down:
                    raise ConnectionRefusedError
                server.connect(str(self._socket_path))
            except OSError:
                client.close()
                server.close()
                continue
            link = _Link(self, client, server)
            with self._lock:
                self._links.add(link)
            link.thread.start()


class _Link:
    """One client's connection: two threads, one a direction."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._statements: dict[bytes, str] = {}
        self._portals: dict[bytes, str | None] = {}
        self._trap: Trap | None = None
        self._cycles_sent = 1  # the startup packet asks for the first ReadyForQuery
        self._cycles_answered = 0
        self._last_cycle: int | None = None
        """The cycle whose answer is dropped, and with which the connection ends."""
        self.thread = threading.Thread(target=self._run, name="proxy-link", daemon=True)

    def cut(self) -> None:
        """End both connections; safe from any thread."""
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        answers = threading.Thread(target=self._pump, args=(self._pump_server,), daemon=True)
        self._pump(self._pump_client, answers)
        if answers.ident is not None:
            answers.join(timeout=10)
        self._client.close()
        self._server.close()
        self._proxy.forget(self)
        if self._trap is not None and len(self._trap.caught) >= self._trap.times:
            self._trap.done.set()

    def _pump(self, body: Callable[..., None], *args: object) -> None:
        try:
            body(*args)
        except (OSError, EOFError):
            pass  # an end was closed, by itself or by a cut
        finally:
            self.cut()

    def _pump_client(self, answers: threading.Thread) -> None:
        with self._client.makefile("rb") as stream:
            self._start_up(stream)
            answers.start()
            while True:
                head = _exactly(stream, 5)
                body = _exactly(stream, struct.unpack("!I", head[1:])[0] - 4)
                kind = chr(head[0])
                trap = self._proxy.caught_by(ProtocolMessage("client", kind, self._sql(kind, body)))
                if trap is not None and not self._spring(trap):
                    return
                self._cycles_sent += kind in _ENDS_A_CYCLE
                self._server.sendall(head + body)
                if self._trap is not None and self._trap.mode == "in_flight" and self._was_last(self._cycles_sent):
                    return

    def _start_up(self, stream: BufferedReader) -> None:
        while True:
            head = _exactly(stream, 8)
            length, code = struct.unpack("!II", head)
            if code in (_SSL_REQUEST, _GSS_REQUEST):
                self._client.sendall(b"N")
                continue
            body = _exactly(stream, length - 8)
            if code != _CANCEL_REQUEST:
                self._trap = self._proxy.caught_by(ProtocolMessage("client", ""))
                if self._trap is not None:
                    raise EOFError
            self._server.sendall(head + body)
            return

    def _pump_server(self) -> None:
        with self._server.makefile("rb") as stream:
            while True:
                head = _exactly(stream, 5)
                body = _exactly(stream, struct.unpack("!I", head[1:])[0] - 4)
                kind = chr(head[0])
                trap = self._proxy.caught_by(ProtocolMessage("server", kind))
                if trap is not None and trap.mode == "before":
                    self._trap = trap
                    return
                dropped = self._was_last(self._cycles_answered + 1)
                self._cycles_answered += kind == "Z"
                if not dropped:
                    self._client.sendall(head + body)
                if trap is not None or self._was_last(self._cycles_answered):
                    self._trap = trap or self._trap
                    return

    def _spring(self, trap: Trap) -> bool:
        """Remember how this connection is to end; True if the message still goes to the server."""
        self._trap = trap
        if trap.mode == "before":
            return False
        self._last_cycle = self._cycles_sent + 1
        return True

    def _was_last(self, cycle: int) -> bool:
        return self._last_cycle is not None and cycle >= self._last_cycle

    def _sql(self, kind: str, body: bytes) -> str | None:
        if kind == "Q":
            return body.rstrip(b"\0").decode(errors="replace")
        if kind == "P":
            name, text, _ = body.split(b"\0", 2)
            self._statements[name] = text.decode(errors="replace")
            return self._statements[name]
        if kind == "B":
            portal, statement, _ = body.split(b"\0", 2)
            self._portals[portal] = self._statements.get(statement)
            return self._portals[portal]
        return self._portals.get(body.split(b"\0", 1)[0]) if kind == "E" else None


def _exactly(stream: BufferedReader, length_bytes: int) -> bytes:
    data = stream.read(length_bytes)
    if len(data) < length_bytes:
        raise EOFError
    return data
