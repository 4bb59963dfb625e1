"""Threads share one heap where they are told to."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

COUNT = """
import ctypes, sys, threading
libc = ctypes.CDLL(None)
if sys.argv[1] == "shared":
    from crtui.modes.heap import share_one_heap
    share_one_heap()
held, done = [], threading.Barrier(7)
def work():
    held.append(bytearray(100_000))
    done.wait()
    done.wait()
for _ in range(6):
    threading.Thread(target=work, daemon=True).start()
done.wait()
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(sys.argv[2].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
print(open(sys.argv[2]).read().count("<heap "))
done.wait()
"""


def heaps(how: str, tmp_path: object) -> int:
    run = [sys.executable, "-c", COUNT, how, f"{tmp_path}/info"]
    return int(subprocess.run(run, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators have no such heaps")
def test_threads_share_the_main_heap(tmp_path) -> None:
    if heaps("apart", tmp_path) == 1:
        pytest.skip("this allocator has one heap anyway")
    assert heaps("shared", tmp_path) == 1
