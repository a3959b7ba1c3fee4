"""``passphrase:``: a root key that people remember, stretched by Argon2id.

The parameters and the salt are in the authenticated header of each wrap. Anyone who changes them changes the
stretched key, and nothing opens; so a wrap cannot be led to weaker parameters than it was made with.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import RLock

from strongroom.crypto import jwe
from strongroom.errors import KeyringCorruptError, RootKeyMalformedError
from strongroom.host.forks import forget_in_child
from strongroom.ports.root_key import NotMine, SecretSource
from strongroom.records.keyring import WrapContext, WrappedKey
from strongroom.rootkeys import argon2id, local, passphrase_source
from strongroom.rootkeys.argon2id import Parameters
from strongroom.secret import Secret

TYPE = "strongroom-sealing-key-passphrase+1"


class PassphraseRootKey:
    """A root key made of a passphrase. The passphrase is read when it is first needed, and once.

    It is stretched once for each salt; new wraps use the salt of an older wrap that opened, so that a keyring of
    any length costs one stretching (0.15 s, 64 MiB). All stretchings together have one budget of work: however many
    wraps somebody puts into the database, opening costs no more than one wrap of the highest parameters.
    """

    def __init__(self, uri: str, secrets: SecretSource, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self.uri = uri
        self._source = passphrase_source.of_uri(uri, secrets)
        self._random_bytes = random_bytes
        self._passphrase: Secret | None = None
        self._keys: dict[Parameters, local.LocalRootKey] = {}
        self._parameters: Parameters | None = None
        self._work = 0
        self._proved = False
        self.forget_other_threads()
        forget_in_child(self)

    def forget_other_threads(self) -> None:
        """A lock of our own: two threads must not ask twice, nor read a descriptor twice."""
        self._lock = RLock()

    def wrap(self, sealing_key: Secret, context: WrapContext) -> str:
        """Wrap a sealing key; a passphrase that is typed and has opened nothing yet is asked for twice.

        Raises RootKeyMissingError, RootKeyInsecureError, and RootKeyMalformedError for a passphrase that is too
        short, or that may not come out the same another time.
        """
        with self._lock:
            passphrase_source.require_fit(self._read(), self._source.origin)
            if not self._proved:
                self._confirm()
            if self._parameters is None:
                self._parameters = argon2id.profile(self._random_bytes(argon2id.SALT_BYTES))
            return self._key(self._parameters).wrap(sealing_key, context)

    def unwrap(self, wrapped: str, context: WrapContext) -> Secret:
        """Unwrap a sealing key. Raises NotMine, KeyringCorruptError, RootKeyError.

        Parameters out of bounds are a KeyringCorruptError, and are not computed.
        """
        parameters = _parameters(wrapped)
        with self._lock:
            sealing_key = self._key(parameters).unwrap(wrapped, context)
            self._proved = True
            if self._parameters is None and parameters.is_profile:
                self._parameters = parameters  # its salt authenticated: nobody else chose it
            return sealing_key

    def recognises(self, wrap: WrappedKey) -> bool:
        """Whether a wrap says that a passphrase made it."""
        return _header(wrap.wrapped).get("typ") == TYPE

    def check_value(self, wrapped: str) -> str:
        """Tell this passphrase from others, as it is stretched with the salt of a wrap."""
        with self._lock:
            return self._key(_parameters(wrapped)).check_value()

    def forget(self) -> None:
        """Drop the passphrase and what was stretched from it; a later use asks again, and stretches again."""
        with self._lock:
            self._passphrase = None
            self._keys = {}

    def rank(self, wrap: WrappedKey) -> int:
        """Salts that are stretched already first, then the parameters that strongroom writes, then the cheapest."""
        parameters = argon2id.of_header(_header(wrap.wrapped))
        if parameters is None or parameters in self._keys:
            return 0
        return 1 if parameters.is_profile else 1 + parameters.work

    def _read(self) -> Secret:
        if self._passphrase is None:
            self._passphrase = passphrase_source.normal(self._source.read(), self._source.origin)
        return self._passphrase

    def _confirm(self) -> None:
        if not isinstance(self._source, passphrase_source.Prompt):
            return
        again = passphrase_source.normal(self._source.again(), self._source.origin)
        if not passphrase_source.same(self._read(), again):
            self._passphrase = None
            raise RootKeyMalformedError(
                "The two passphrases that were typed differ.", hint="Run the command again; nothing was written."
            )
        self._proved = True

    def _key(self, parameters: Parameters) -> local.LocalRootKey:
        if parameters not in self._keys:
            if self._work + parameters.work > argon2id.MOST_WORK:
                raise KeyringCorruptError(
                    "The keyring's passphrase wraps ask for more work than one opening may cost; it was not computed.",
                    hint="Somebody may have added rows to strongroom_keyring_wrap: `strongroom root-key list` shows "
                    "whose they are. Remove those that nobody added, or restore the keyring's tables from a backup.",
                )
            self._work += parameters.work
            stretched = argon2id.stretch(self._read(), parameters)
            header = {"typ": TYPE, **parameters.members()}
            self._keys[parameters] = local.LocalRootKey(self.uri, stretched, header)
        return self._keys[parameters]

    def __repr__(self) -> str:
        return f"<PassphraseRootKey {self.uri}>"


def _parameters(wrapped: str) -> Parameters:
    header = _header(wrapped)
    if header.get("typ") != TYPE:
        raise NotMine
    found = argon2id.of_header(header)
    if found is None:
        raise KeyringCorruptError(
            "A passphrase wrap asks for Argon2id parameters that are malformed, absurd or too weak; "
            "they were not computed."
        )
    return found


def _header(wrapped: str) -> dict[str, str]:
    try:
        return dict(jwe.parse(wrapped).header)
    except (jwe.JweError, ValueError):
        return {}
