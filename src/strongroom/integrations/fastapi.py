"""FastAPI: a vault that lives as long as the application, a dependency that gives it, and answers for errors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.requests import HTTPConnection

from strongroom.errors import StrongroomError
from strongroom.integrations.http import body_of, status_of
from strongroom.vault.async_vault import AsyncVault

__all__ = ["add_error_handler", "get_vault", "lifespan"]


def lifespan(**settings: Any) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return a lifespan that opens a vault before the first request and closes it after the last.

    ``settings`` are the arguments of ``AsyncVault.open``; what is not given comes from the environment and
    strongroom.toml. An application with a lifespan of its own enters this one in it.
    """

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        async with await AsyncVault.open(**settings) as vault:
            app.state.strongroom_vault = vault
            yield

    return run


async def get_vault(connection: HTTPConnection) -> AsyncVault:
    """Return the application's vault: ``Annotated[AsyncVault, Depends(get_vault)]``."""
    vault: AsyncVault = connection.app.state.strongroom_vault
    return vault


def add_error_handler(app: FastAPI) -> None:
    """Answer each StrongroomError with its status and ``code``; ``Retry-After`` where the call may be repeated."""

    @app.exception_handler(StrongroomError)
    async def answer(_request: Request, error: StrongroomError) -> JSONResponse:
        headers = {"Retry-After": "1"} if error.retryable else {}
        return JSONResponse(body_of(error), status_of(error), headers)
