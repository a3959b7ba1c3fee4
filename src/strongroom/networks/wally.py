"""wallycore (libwally, libsecp256k1), loaded when it is first needed.

Everything here that calls it goes through ``library()``: listing networks must not load a C library, and the
blinding of libsecp256k1 has to be randomised once before the first private key meets it.
"""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
from functools import cache
from typing import Any

from strongroom.secret import Secret


@cache
def library() -> Any:
    """Return the wallycore module, its secp256k1 context randomised."""
    with warnings.catch_warnings():
        # Its SWIG wrapper warns while it loads; where warnings are errors (python -W error) that is a crash.
        warnings.simplefilter("ignore")
        import wallycore

    _keep_runtime()
    wallycore.secp_randomize(os.urandom(wallycore.WALLY_SECP_RANDOMIZE_LEN))
    return wallycore


def _keep_runtime() -> None:
    """Let SWIG's runtime never be taken down: at the end of the process it would make a type that warns.

    Where warnings are errors, or what judges them is gone by then, a process that did its work would end by a crash.
    """
    for name, module in list(sys.modules.items()):
        if name.startswith("swig_runtime_data"):
            for capsule in vars(module).values():
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(capsule))


def hash160(data: bytes) -> bytes:
    """Return RIPEMD-160 of SHA-256, 20 bytes; OpenSSL 3 need not have RIPEMD-160."""
    return bytes(library().hash160(data))


def scrypt_beyond_rfc7914(password: Secret, salt: bytes, n: int, r: int, p: int) -> Secret | None:
    """Return 32 bytes of scrypt, or None where it fails; also for n >= 2^(16 r), which OpenSSL refuses.

    Holds the GIL all the time: not for parameters that OpenSSL takes.
    """
    derived = bytearray(32)
    try:
        library().scrypt(password.reveal(), salt, n, r, p, derived)
    except (MemoryError, RuntimeError, ValueError):
        return None
    return Secret(derived)
