"""Whether statements are prepared on the server, until a transaction pooler before it is noticed."""

from __future__ import annotations

import warnings

from strongroom.errors import PreparedStatementsWarning
from strongroom.store.connection.driver_errors import POOLED, driver_error

_REMARK = (
    "A pooler before the database gives its sessions to several clients: prepared statements were switched off in this "
    "vault. Set prepared_statements = false (or STRONGROOM_PREPARED_STATEMENTS=false)."
)


class Pooling:
    """Prepares statements as it is set, and no more once somebody else's prepared statements were met."""

    def __init__(self, prepared_statements: bool) -> None:
        self.prepares = prepared_statements
        self.remark: str | None = None

    def notice(self, error: BaseException) -> None:
        """Switch prepared statements off, with one warning, where an error says that a pooler is there."""
        if not self.prepares or getattr(driver_error(error), "sqlstate", None) not in POOLED:
            return
        self.prepares = False
        self.remark = _REMARK
        warnings.warn(_REMARK, PreparedStatementsWarning, stacklevel=2)
