#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every program of docs/TUTORIAL.md compiles, prints what the page says, and leaves a trace: tutorial.py SOURCE BUILD"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

source, build = map(pathlib.Path, sys.argv[1:])
text = (source / 'docs/TUTORIAL.md').read_text(encoding='utf-8')
pairs = re.findall(r'^```c\n(.*?)^```\n\n```text\n(.*?)^```$', text, re.M | re.S)
assert len(pairs) == text.count('\nint main(void)\n') == text.count('\n```c\n'), 'a program without what it prints'

with tempfile.TemporaryDirectory() as folder:
    for number, (code, output) in enumerate(pairs, 1):
        path, program, trace = (pathlib.Path(folder, f'{number}{end}') for end in ('.c', '', '.trace'))
        path.write_text(code, encoding='utf-8')
        subprocess.run(['cc', '-std=gnu11', '-Wall', '-Wextra', '-Werror', '-I', source / 'include', path, '-o', program,
                        '-L', build, '-linorder', f'-Wl,-rpath,{build}'], check=True)
        done = subprocess.run([program], env={**os.environ, 'INORDER_DEBUG': f'trace={trace}'}, check=True,
                              stdout=subprocess.PIPE, text=True)
        assert done.stdout == output, f'program {number} prints:\n{done.stdout}'
        assert trace.exists() == ('inorder/async.h' in code), f'program {number}: the trace'
        chart = build / 'chart/inorder-chart'
        if trace.exists() and chart.exists():
            chart = subprocess.run([chart, '--text', trace], check=True, stdout=subprocess.PIPE, text=True).stdout
            assert 'path' in chart, chart
