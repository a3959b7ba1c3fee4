"""Options that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

Project = Annotated[str, typer.Option("--project", metavar="UUID", help="The project that owns the wallet.")]
AnyProject = Annotated[str | None, typer.Option("--project", metavar="UUID", help="Only wallets of this project.")]
Label = Annotated[
    str, typer.Option("--label", metavar="LABEL", help="Tells wallets of one project on one network apart.")
]
Variant = Annotated[str | None, typer.Option("--variant", metavar="NAME", help="The address variant, such as taproot.")]
IdempotencyKey = Annotated[
    str | None,
    typer.Option("--idempotency-key", metavar="KEY", help="Names this request: a repeat must be the same."),
]
Actor = Annotated[str | None, typer.Option("--actor", metavar="WHO", help="Who does it: goes into the usage log.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="WHY", help="Why: goes into the usage log.")]
