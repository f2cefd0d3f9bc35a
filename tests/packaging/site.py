#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The documentation as pages: every link leads somewhere, and a phone, a desk and a dark room show all: site.py SOURCE BUILD"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

source = pathlib.Path(sys.argv[1])
for tool in ('cmark-gfm', 'mandoc'):
    if not shutil.which(tool):
        print(f'skipped: there is no {tool} here')
        sys.exit(77)
sys.dont_write_bytecode = True
sys.path.insert(0, str(source / 'tests/html'))
from browser import Browser   # noqa: E402

with tempfile.TemporaryDirectory() as folder:
    out = pathlib.Path(folder, 'site')
    subprocess.run([source / 'tools/site', source, out], check=True)

    # A link that leads nowhere is noticed.
    broken = pathlib.Path(folder, 'broken')
    broken.mkdir()
    for part in ('docs', 'man'):
        shutil.copytree(source / part, broken / part)
    for page in source.glob('*.md'):
        shutil.copy(page, broken)
    with (broken / 'docs/CORE.md').open('a', encoding='utf-8') as page:
        page.write('\n[nowhere](NOWHERE.md)\n')
    done = subprocess.run([source / 'tools/site', broken, broken / 'site'], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and 'core.html: nowhere.html: no such page' in done.stderr, done.stderr

    browser = Browser()
    for width in (360, 1300):
        browser.call('Emulation.setDeviceMetricsOverride', width=width, height=800, deviceScaleFactor=1, mobile=width < 800)
        for page in sorted(out.glob('*.html')):
            browser.load(page)
            wide = browser.run('document.documentElement.scrollWidth')
            assert wide <= width, f'{page.name} is {wide} wide where {width} are seen'
    for scheme in ('light', 'dark'):
        browser.call('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': scheme}])
        color = browser.run('getComputedStyle(document.body).backgroundColor')
        assert color == {'light': 'rgb(255, 255, 255)', 'dark': 'rgb(20, 23, 27)'}[scheme], color
    browser.close()
    assert not browser.errors, browser.errors
    assert all(request.startswith('file:') for request in browser.requests), browser.requests
