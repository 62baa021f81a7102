# SPDX-License-Identifier: MIT
"""The system call filters that the kernel holds for the running processes, read back by ptrace and compared with those
that the tables make. Needs root and a kernel that hands them out (CONFIG_CHECKPOINT_RESTORE)."""

import contextlib
import ctypes
import os
import struct
import subprocess

import live
from report import promise

TEXT = "the filter that the kernel holds for each running process is the one of its table"
SEIZE, INTERRUPT, GET_FILTER, DETACH = 0x4206, 0x4207, 0x420C, 17
WAIT_ALL = 0x40000000
LOAD, JUMP, CLASS, FIRST_ARGUMENT = 0x00, 0x05, 0x07, 16
_libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """The kernel does not hand filters out."""


def _ptrace(request, pid, address=0, data=None):
    _libc.ptrace.restype = ctypes.c_long
    done = _libc.ptrace(ctypes.c_long(request), ctypes.c_long(pid), ctypes.c_void_p(address), data)
    if done < 0:
        raise Refused(f"ptrace {request:#x}: {os.strerror(ctypes.get_errno())}")
    return done


@contextlib.contextmanager
def _stopped(pid):
    _ptrace(SEIZE, pid)
    try:
        _ptrace(INTERRUPT, pid)
        os.waitpid(pid, WAIT_ALL)
        yield
    finally:
        _ptrace(DETACH, pid)


def _loaded(pid):
    """The newest filter of a process, in the form of `tables filter`."""
    with _stopped(pid):
        count = _ptrace(GET_FILTER, pid)
        code = ctypes.create_string_buffer(8 * count)
        _ptrace(GET_FILTER, pid, 0, code)
    own = False
    for instruction, true, false, value in struct.iter_unpack("=HBBI", code.raw):
        number = "PID" if own and instruction & CLASS == JUMP else value
        yield f"{instruction} {true} {false} {number}"
        own = instruction & CLASS == LOAD and value == FIRST_ARGUMENT


def _faults(build, daemon):
    for who, pid in daemon.pid.items():
        made = subprocess.run([f"{build}/tests/audit/tables", "filter", who], capture_output=True, text=True, check=True).stdout
        found = list(_loaded(pid))
        if found != made.splitlines():
            yield f"{who}: {len(found)} instructions, not the {len(made.splitlines())} of its table"


def check(report, build):
    if not live.is_root():
        report.skip(promise(3), TEXT, "needs root")
        return
    try:
        with live.Daemon(build, True, page=True) as daemon:
            report.check(promise(3), TEXT, _faults(build, daemon))
    except Refused as error:
        report.skip(promise(3), TEXT, str(error))
    except RuntimeError as error:
        report.check(promise(3), TEXT, [str(error)])
