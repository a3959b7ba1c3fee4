"""The same verbs to await: each runs Vault's in a worker thread; there is one implementation."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from importlib import import_module
from inspect import isawaitable
from itertools import islice
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from anyio import from_thread, to_thread

from strongroom.records.phrases import PhraseReference, VerifiedPhrase
from strongroom.records.results import RewrapResult, VerifyResult
from strongroom.records.wallets import DEFAULT_LABEL, Wallet
from strongroom.records.watch_only import DiscoveredWallets
from strongroom.secret import Secret
from strongroom.vault.vault import Vault

P = ParamSpec("P")
R = TypeVar("R")

_CHUNK = 64
_SECRETS = {"private_key", "mnemonic", "passphrase", "keystore", "keystore_password", "legacy_password", "password"}


def _awaited(
    verb: Callable[Concatenate[Vault, P], R],
) -> Callable[Concatenate[AsyncVault, P], Awaitable[R]]:
    @functools.wraps(verb)
    async def run(self: AsyncVault, /, *args: P.args, **kwargs: P.kwargs) -> R:
        for name in _SECRETS & kwargs.keys():  # no frame of ours, or of the threads', keeps plaintext
            kwargs[name] = Secret.optional(kwargs[name])  # type: ignore[arg-type]
        connection = kwargs.pop("connection", None)
        call: Callable[..., R] = functools.partial(verb, self.vault, *args, **kwargs)
        if connection is not None:
            store = self.vault._context.store
            return await store.run_awaited(connection, lambda synchronous: call(connection=synchronous))
        return await to_thread.run_sync(call)

    return run


async def _result_of(said: Awaitable[R]) -> R:
    return await said


async def _streamed(start: Callable[[], Iterator[R]]) -> AsyncIterator[R]:
    """Iterate in a thread, a chunk a call."""
    results = await to_thread.run_sync(start)
    while chunk := await to_thread.run_sync(lambda: list(islice(results, _CHUNK))):
        for result in chunk:
            yield result


class AsyncVault:
    """A Vault whose verbs are awaited: ``await AsyncVault.open(...)``, or ``AsyncVault(strongroom.open(...))``.

    A call that was begun runs to its end in its thread even if the task is cancelled; the retry returns what it
    committed. Arguments, results and errors are those of Vault. ``connection=`` takes an AsyncSession or an
    AsyncConnection of SQLAlchemy (psycopg, asyncpg): its statements run on the caller's loop and key work in a thread;
    where the task is cancelled then, the SAVEPOINT of the call is rolled back or the connection invalidated.
    """

    def __init__(self, vault: Vault) -> None:
        self.vault = vault

    @classmethod
    async def open(
        cls,
        database: str | None = None,
        *,
        root_key: str | None = None,
        config: str | Path | None = None,
        **settings: Any,
    ) -> AsyncVault:
        """Open a vault in a thread; arguments and errors are those of ``strongroom.open``.

        ``async with await AsyncVault.open() as vault`` closes it at the end.
        """
        strongroom = import_module("strongroom")  # by name: what opens a vault stands outside of its verbs
        url, database = Secret.optional(database), None  # may hold a password: no frame's locals show it

        made: list[Vault] = []
        abandoned = Event()

        def opened() -> None:
            text = None if url is None else url.reveal_text
            made.append(strongroom.open(text and text(), root_key=root_key, config=config, **settings))
            if abandoned.is_set():
                made[0].close()

        try:
            await to_thread.run_sync(opened)
        except BaseException:  # a task that was cancelled gets no vault: keys and connections of this one would stay
            abandoned.set()
            for vault in made:
                vault.close()
            raise
        return cls(made[0])

    create_wallet = _awaited(Vault.create_wallet)
    create_wallets = _awaited(Vault.create_wallets)
    import_wallet = _awaited(Vault.import_wallet)
    create_many = _awaited(Vault.create_many)
    create_phrase = _awaited(Vault.create_phrase)
    import_phrase = _awaited(Vault.import_phrase)
    find_phrase = _awaited(Vault.find_phrase)
    get_phrase = _awaited(Vault.get_phrase)
    list_phrases = _awaited(Vault.list_phrases)
    list_accounts = _awaited(Vault.list_accounts)
    reveal_phrase = _awaited(Vault.reveal_phrase)
    replace_phrase = _awaited(Vault.replace_phrase)
    advance_phrase = _awaited(Vault.advance_phrase)
    export_xpub = _awaited(Vault.export_xpub)
    get_wallet = _awaited(Vault.get_wallet)
    find_wallet = _awaited(Vault.find_wallet)
    find_by_address = _awaited(Vault.find_by_address)
    list_wallets = _awaited(Vault.list_wallets)
    list_projects = _awaited(Vault.list_projects)
    erase_project = _awaited(Vault.erase_project)
    list_log = _awaited(Vault.list_log)
    count_wallets = _awaited(Vault.count_wallets)
    reveal = _awaited(Vault.reveal)
    export_keystore = _awaited(Vault.export_keystore)
    store_key = _awaited(Vault.store_key)
    replace_wallet = _awaited(Vault.replace_wallet)
    revoke_wallet = _awaited(Vault.revoke_wallet)
    history = _awaited(Vault.history)
    restore = _awaited(Vault.restore)
    reveal_kept = _awaited(Vault.reveal_kept)
    reveal_kept_text = _awaited(Vault.reveal_kept_text)
    move_key = _awaited(Vault.move_key)
    sign = _awaited(Vault.sign)
    sign_message = _awaited(Vault.sign_message)
    sign_typed_data = _awaited(Vault.sign_typed_data)
    sign_transaction = _awaited(Vault.sign_transaction)
    sign_authorization = _awaited(Vault.sign_authorization)
    sign_psbt = _awaited(Vault.sign_psbt)
    dangerously_sign_digest = _awaited(Vault.dangerously_sign_digest)
    rotate_sealing_key = _awaited(Vault.rotate_sealing_key)
    count_pending_rewraps = _awaited(Vault.count_pending_rewraps)
    add_root_key = _awaited(Vault.add_root_key)
    check_root_key = _awaited(Vault.check_root_key)
    remove_root_key = _awaited(Vault.remove_root_key)
    status = _awaited(Vault.status)
    close = _awaited(Vault.close)

    def networks(self) -> Any:
        """Return every registered network; needs no thread."""
        return self.vault.networks()

    async def account(
        self,
        wallet: UUID | str | Wallet,
        *,
        project_id: UUID | str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
        max_fee: int | None = None,
        **permissions: bool,
    ) -> Any:
        """Return the wallet as an account whose methods are awaited; see Vault.account."""
        named = {"project_id": project_id, "actor": actor, "reason": reason, "max_fee": max_fee}
        make = functools.partial(self.vault.account, wallet, **named, **permissions)  # type: ignore[arg-type]
        return (await to_thread.run_sync(make)).asynchronous()

    async def discover(
        self,
        project_id: UUID | str,
        network: str,
        *,
        is_used: Callable[[str], object],
        phrase: PhraseReference = DEFAULT_LABEL,
        variant: str | None = None,
        account: int | None = None,
        path: str | None = None,
        gap: int = 20,
        most: int = 10_000,
        label_prefix: str = "discovered-",
        actor: UUID | str | None = None,
        reason: str | None = None,
    ) -> DiscoveredWallets:
        """Find addresses that are in use, and make their wallets; see Vault.discover.

        ``is_used`` may be an async callable, which is awaited on the caller's loop; any other runs in a thread. A task
        that is cancelled asks about no further address, and nothing is written.
        """

        def asked(address: str) -> object:
            from_thread.check_cancelled()
            said = is_used(address)
            return from_thread.run(_result_of, said) if isawaitable(said) else said

        call = functools.partial(
            self.vault.discover,
            project_id,
            network,
            is_used=asked,
            phrase=phrase,
            variant=variant,
            account=account,
            path=path,
            gap=gap,
            most=most,
            label_prefix=label_prefix,
            actor=actor,
            reason=reason,
        )
        return await to_thread.run_sync(call)

    async def verify(
        self,
        wallet: UUID | str | Wallet | None = None,
        *,
        project_id: UUID | str | None = None,
        phrases: bool = False,
    ) -> AsyncIterator[VerifyResult]:
        """Prove stored wallets, a chunk of them a thread call; see Vault.verify."""
        start = functools.partial(self.vault.verify, wallet, project_id=project_id, phrases=phrases)
        async for result in _streamed(start):
            yield result

    async def verify_phrases(self, project_id: UUID | str) -> AsyncIterator[VerifiedPhrase]:
        """Prove every phrase of a project, a chunk of them a thread call; see Vault.verify_phrases."""
        async for result in _streamed(functools.partial(self.vault.verify_phrases, project_id)):
            yield result

    async def rewrap(self, *, project_id: UUID | str | None = None) -> AsyncIterator[RewrapResult]:
        """Move rows to the active sealing key, a chunk of them a thread call; see Vault.rewrap."""
        async for result in _streamed(functools.partial(self.vault.rewrap, project_id=project_id)):
            yield result

    async def __aenter__(self) -> AsyncVault:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
