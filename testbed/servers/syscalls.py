"""Make one system call of another process fail after it was done: what a program does that is told of an I/O error.

A tracer after ptrace(2), for the calls that flush a file, on Linux and x86-64. The call is carried out, and the
process is told EIO. A process may trace what it started; the superuser may trace everybody, where nothing forbids it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import sys
import threading
from contextlib import suppress

_SEIZE, _INTERRUPT, _SYSCALL, _DETACH, _GETREGS, _SETREGS = 0x4206, 0x4207, 24, 17, 12, 13
_TRACE_SYSCALLS = 1
"""PTRACE_O_TRACESYSGOOD: a stop at a system call is told from one at a signal."""
_AT_SYSCALL = signal.SIGTRAP | 0x80
_STOP_EVENT = 128
_ALL_CHILDREN = 0x40000000
_RAX, _ORIG_RAX, _REGISTERS = 10, 15, 27
"""Indices in struct user_regs_struct, and how many it has."""
_FLUSHES = {74: "fsync", 75: "fdatasync", 277: "sync_file_range"}


class TracingForbiddenError(Exception):
    """This machine does not let this process trace that one."""


class FailedFlush:
    """The next fsync or fdatasync of a process fails with EIO, although it was done.

    Usable as a context manager; ``name`` says at the end which call was told so, or is None.
    """

    def __init__(self, pid: int) -> None:
        self.name: str | None = None
        self._pid = pid
        self._refusal: OSError | None = None
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._trace, name="tracer", daemon=True)

    def __enter__(self) -> FailedFlush:
        """Raises TracingForbiddenError."""
        if sys.platform != "linux" or platform.machine() != "x86_64":
            raise TracingForbiddenError("This tracer knows Linux on x86-64 only.")
        self._thread.start()
        if not self._ready.wait(60):
            raise RuntimeError("the tracer does not attach")
        if self._refusal is not None:
            self._thread.join(timeout=30)
            raise TracingForbiddenError(os.strerror(self._refusal.errno or 0)) from self._refusal
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread.is_alive():
            with suppress(OSError):
                os.kill(self._pid, signal.SIGWINCH)  # ignored by it; a reason to stop, so that the tracer can leave
        self._thread.join(timeout=30)

    def _trace(self) -> None:
        """Everything in one thread: the kernel knows a tracer by its thread."""
        try:
            _ptrace(_SEIZE, self._pid, _TRACE_SYSCALLS)
            _ptrace(_INTERRUPT, self._pid)
            _wait(self._pid)
        except OSError as error:
            self._refusal = error
            return
        finally:
            self._ready.set()
        with suppress(ProcessLookupError, ChildProcessError):
            self._follow()

    def _follow(self) -> None:
        entered, passed_on = False, 0
        while not self._ended.is_set() and self.name is None:
            _ptrace(_SYSCALL, self._pid, passed_on)
            status = _wait(self._pid)
            if not os.WIFSTOPPED(status):
                return  # it ended, or was killed
            stop, passed_on = os.WSTOPSIG(status), 0
            if stop == _AT_SYSCALL:
                entered = not entered
                if not entered:
                    self._answer()
            elif status >> 16 != _STOP_EVENT:
                passed_on = stop
        _ptrace(_DETACH, self._pid, passed_on)

    def _answer(self) -> None:
        """At the end of a call: if it was a flush that went well, say that it did not."""
        registers = (ctypes.c_ulonglong * _REGISTERS)()
        _ptrace(_GETREGS, self._pid, 0, ctypes.addressof(registers))
        name = _FLUSHES.get(registers[_ORIG_RAX])
        if name in ("fsync", "fdatasync") and registers[_RAX] == 0:
            registers[_RAX] = 2**64 - errno.EIO
            _ptrace(_SETREGS, self._pid, 0, ctypes.addressof(registers))
            self.name = name


def _ptrace(request: int, pid: int, data: int = 0, address: int = 0) -> None:
    """For the registers glibc's wrapper is called as the kernel takes them: their place comes last."""
    first, second = (0, address) if address else (0, data)
    function = ctypes.CDLL(None, use_errno=True).ptrace
    function.restype = ctypes.c_long
    if function(ctypes.c_long(request), ctypes.c_long(pid), ctypes.c_void_p(first), ctypes.c_void_p(second)) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _wait(pid: int) -> int:
    _, status = os.waitpid(pid, _ALL_CHILDREN)
    return status
