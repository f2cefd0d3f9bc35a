#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""inorder-image as a command: image.py CASE SOURCE BUILD. Needs no machine, only the kernel's modules."""
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.abspath(sys.argv[2]), 'tools'))
from bootlib import kernel   # noqa: E402
from bootlib.common import Failure   # noqa: E402
from imagelib import contents, faults, machines, others, verbs, words   # noqa: E402
from imagelib.common import BUILD   # noqa: E402

CASES = {name[5:]: function for part in (contents, faults, machines, others, verbs, words)
         for name, function in vars(part).items() if name.startswith('case_')}


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in CASES:
        sys.exit(f'usage: image.py {"|".join(CASES)} SOURCE BUILD')
    tree = kernel.get(BUILD, print).modules
    with tempfile.TemporaryDirectory() as folder:
        CASES[sys.argv[1]](tree, folder)


if __name__ == '__main__':
    try:
        main()
    except Failure as failure:
        sys.exit(f'FAILED: {failure}')
