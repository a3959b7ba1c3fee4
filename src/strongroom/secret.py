"""A secret in memory: a type that will not print, pickle, copy or compare.

Taking the bytes out needs an explicit call, so that every extraction is one search for ``reveal`` away.
"""

from __future__ import annotations

from typing import Any, NoReturn


class Secret:
    """Bytes that must not be seen: a private key, a phrase, a sealing key.

    It has no useful ``repr``, no ``==`` (comparing secrets leaks time and invites mistakes), no pickle, no copy
    and no hash. ``reveal()`` is the one way out. Python cannot wipe memory, so this protects against accidents
    (logs, tracebacks, error reporters), not against someone who reads the process.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes | bytearray) -> None:
        self._value = bytes(value)

    @classmethod
    def from_text(cls, text: str | bytes | Secret) -> Secret:
        """Wrap text as UTF-8; a Secret is returned as it is.

        Text with lone surrogates, and what is no text at all, becomes bytes that do not decode: the parser that
        reads it refuses it, where no frame holds what was passed.
        """
        if isinstance(text, Secret):
            return text
        if isinstance(text, str):
            return cls(text.encode(errors="surrogatepass"))
        return cls(text if isinstance(text, (bytes, bytearray)) else b"\xff")

    @classmethod
    def optional(cls, text: str | bytes | Secret | None) -> Secret | None:
        """``from_text``, which lets None pass."""
        return None if text is None else cls.from_text(text)

    def reveal(self) -> bytes:
        """Return the bytes. Call it inside the expression that uses them; do not keep them in a variable."""
        return self._value

    def reveal_text(self) -> str:
        """Return the bytes decoded as UTF-8."""
        return self._value.decode()

    def __repr__(self) -> str:
        return "<Secret>"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return "<Secret>"

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("secrets are not compared with ==")

    def __ne__(self, other: object) -> NoReturn:
        raise TypeError("secrets are not compared with !=")

    __hash__ = None  # type: ignore[assignment]

    def _refuse(self, *_: Any) -> NoReturn:
        raise TypeError("secrets are not copied or pickled")

    __reduce_ex__ = _refuse
    __reduce__ = _refuse
    __getstate__ = _refuse
    __copy__ = _refuse
    __deepcopy__ = _refuse
