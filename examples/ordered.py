#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Calls from Python, by ctypes: work that leaves the interpreter's lock runs in parallel, results come in order.

usage: ordered.py [LIBRARY]     default: libinorder.so.0
"""
import atexit
import ctypes
import sys
import time

library = ctypes.CDLL(sys.argv[1] if len(sys.argv) > 1 else 'libinorder.so.0')
# Before the interpreter ends, however it does: calls in progress use its objects, and their threads would end inside them.
atexit.register(library.async_synchronize_full)
FUNC = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint64)
library.async_schedule_ordered.argtypes = FUNC, FUNC, ctypes.c_void_p, ctypes.c_void_p
library.async_schedule_ordered.restype = ctypes.c_uint64


@FUNC
def work(number, cookie):
    time.sleep((5 - (number or 0)) / 100)   # the last is the first to be ready


@FUNC
def show(number, cookie):
    print('item', number or 0)


for item in range(5):
    if not library.async_schedule_ordered(work, show, item, None):
        raise MemoryError('async_schedule_ordered')
if library.async_synchronize_full():
    raise RuntimeError('async_synchronize_full')
