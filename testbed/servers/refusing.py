"""Servers that speak PostgreSQL's protocol as far as the answer that refuses a connection."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_SSL_REQUEST = 80877103


@contextmanager
def server_that_says(answer: bytes, to_ssl: bytes = b"N") -> Iterator[int]:
    """A server that answers each startup packet with ``answer``; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client, suppress(OSError, struct.error):
                    while True:
                        length, code = struct.unpack("!II", client.recv(8))
                        if code != _SSL_REQUEST:
                            client.recv(length - 8)
                            client.sendall(answer)
                            break
                        client.sendall(to_ssl)
                        if to_ssl == b"S":
                            client.recv(4096)
                            break

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=10)


def fatal(code: str, message: str) -> bytes:
    """An error that ends a connection, as PostgreSQL and its poolers say it."""
    fields = b"".join(kind + text.encode() + b"\0" for kind, text in ((b"S", "FATAL"), (b"V", "FATAL"), (b"C", code)))
    body = fields + b"M" + message.encode() + b"\0\0"
    return b"E" + struct.pack("!I", len(body) + 4) + body
