"""A root key that a service keeps: the service, on a Unix socket, and a provider for it that keeps the contract."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.errors import (
    RootKeyDeniedError,
    RootKeyMissingError,
    RootKeyUnavailableError,
)
from strongroom.ports.root_key import NotMine, SecretSource
from strongroom.records.keyring import WrapContext, WrappedKey
from strongroom.rootkeys import ProviderOptions
from strongroom.rootkeys.deadline import Deadline
from strongroom.secret import Secret

TOKEN = "REMOTE_ROOT_KEY_TOKEN"
"""The name of the secret that callers show."""
_TOKEN_TEXT = "a token that nobody may print"
_PREFIX = "remote+1"


class RemoteTokens:
    """A source of secrets that is not the environment."""

    def __init__(self, *, empty: bool = False) -> None:
        self.asked: list[str] = []
        self._empty = empty

    def secret(self, name: str) -> Secret | None:
        self.asked.append(name)
        return None if self._empty or name != TOKEN else Secret.from_text(_TOKEN_TEXT)


class RemoteKeys:
    """The service: any number of keys, by name. ``mode`` says how it behaves from now on.

    ``answers``, ``denies``, ``is busy``, ``hangs`` (answers nothing), ``drips`` (never ends an answer), ``hangs up``,
    ``lies`` (unwraps to something else) and ``babbles`` (what is no answer).
    """

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="remote-")
        self.path = f"{self._folder}/socket"
        self.mode = "answers"
        self.token = _TOKEN_TEXT
        self.calls: list[str] = []
        self.at_call: Callable[[], None] = lambda: None
        """Run in the service while the caller waits."""
        self.failures: list[BaseException] = []
        """What ``at_call`` raised."""
        self._released = threading.Event()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(self.path)
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def uri(self, name: str = "first") -> str:
        """The URI of a key; a key is there once it was named."""
        return f"remote:{self.path}#{name}"

    def close(self) -> None:
        """Go away: nothing listens any more."""
        self._released.set()
        self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = json.loads(connection.makefile("rb").readline())
            self.calls.append(request["verb"])
            try:
                self.at_call()
            except BaseException as error:
                self.failures.append(error)
            if self.mode == "hangs":
                self._released.wait()
            while self.mode == "drips" and not self._released.wait(0.02):
                connection.sendall(b" ")
            if self.mode not in ("hangs", "drips", "hangs up"):
                connection.sendall(json.dumps(self._result(request)).encode() + b"\n")

    def _result(self, request: dict[str, Any]) -> object:
        if self.mode == "denies" or request["token"] != self.token:
            return {"error": "denied"}
        if self.mode == "is busy":
            return {"error": "busy"}
        if self.mode == "babbles":
            return ["<html>"]
        if request["key"] == "none":
            return {"error": "unknown key"}
        cipher = AESGCM(hashlib.sha256(request["key"].encode()).digest())
        context, data = json.dumps(request["context"]).encode(), base64.b64decode(request["data"])
        if request["verb"] == "wrap":
            nonce = os.urandom(12)
            return {"data": base64.b64encode(nonce + cipher.encrypt(nonce, data, context)).decode()}
        try:
            found = cipher.decrypt(data[:12], data[12:], context)
        except (InvalidTag, ValueError):
            return {"error": "invalid"}
        return {"data": base64.b64encode(bytes(len(found)) if self.mode == "lies" else found).decode()}


class RemoteRootKey:
    """``remote:PATH#NAME``: a key of a service. Text: ``remote+1.NAME.`` and base64."""

    def __init__(self, uri: str, secrets: SecretSource, timeout_seconds: float) -> None:
        self.uri = uri
        self._path, _, self._name = uri.partition(":")[2].partition("#")
        self._secrets = secrets
        self._timeout_seconds = timeout_seconds

    def wrap(self, sealing_key: Secret, context: WrapContext) -> str:
        data = self._call("wrap", sealing_key.reveal(), context)
        return f"{_PREFIX}.{self._name}.{base64.b64encode(data).decode()}"

    def unwrap(self, wrapped: str, context: WrapContext) -> Secret:
        prefix, _, text = wrapped.rpartition(".")
        if prefix != f"{_PREFIX}.{self._name}":
            raise NotMine
        try:
            data = base64.b64decode(text, validate=True)
        except ValueError:
            raise NotMine from None
        return Secret(self._call("unwrap", data, context))

    def recognises(self, wrap: WrappedKey) -> bool:
        return wrap.wrapped.startswith(f"{_PREFIX}.{self._name}.")

    def rank(self, wrap: WrappedKey) -> int:
        return 1

    def _call(self, verb: str, data: bytes, context: WrapContext) -> bytes:
        token = self._secrets.secret(TOKEN)
        if token is None:
            raise RootKeyMissingError(f"There is no secret {TOKEN}.", hint="Set it.")
        request = {
            "verb": verb,
            "token": token.reveal_text(),
            "key": self._name,
            "context": context.members(),
            "data": base64.b64encode(data).decode(),
        }
        try:
            answer = json.loads(self._exchange(json.dumps(request).encode() + b"\n"))
        except (OSError, ValueError):
            raise RootKeyUnavailableError("The service that keeps the root key does not answer.") from None
        match answer:
            case {"data": str(found)}:
                return base64.b64decode(found)
            case {"error": "denied"}:
                raise RootKeyDeniedError(f"The service refuses to use the key {self._name}.")
            case {"error": "unknown key"}:
                raise RootKeyMissingError(f"The service has no key {self._name}.")
            case {"error": "invalid"} if verb == "unwrap":
                raise NotMine
        raise RootKeyUnavailableError("The service that keeps the root key cannot answer now.")

    def _exchange(self, request: bytes) -> bytes:
        deadline = Deadline(self._timeout_seconds)
        answer = b""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(deadline.remaining_seconds())
            connection.connect(self._path)
            connection.sendall(request)
            while not answer.endswith(b"\n"):
                connection.settimeout(deadline.remaining_seconds())
                piece = connection.recv(4096)
                if not piece:
                    raise OSError("hung up")
                answer += piece
        return answer

    def __repr__(self) -> str:
        return f"<RemoteRootKey {self._name}>"


def open_remote(uri: str, options: ProviderOptions) -> RemoteRootKey:
    """A line for the table of providers."""
    return RemoteRootKey(uri, options.secrets, options.timeout_seconds)


@contextmanager
def remote_keys() -> Iterator[RemoteKeys]:
    """A service that runs."""
    keys = RemoteKeys()
    try:
        yield keys
    finally:
        keys.close()
