#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots each machine of matrix.ini's series many times, with random delays and 1, 2 and 4 processors, and counts how
many namings of disks and cards there were: series.py [--boots N] [--control N] [--only REGEX] [--jobs N] SOURCE BUILD.

One naming is right: that of a boot which does one step after the other. The control, without order, must show several.
What was booted before with the same files counts, so it goes on where it was stopped.

A guest whose kernel itself says that a processor of it stands still is counted apart and booted again: no program of a
guest can stop its kernel. The same boot three times is a failure, and so is a wrong name, whatever the kernel says."""
import argparse
import concurrent.futures
import json
import os
import random
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from matrix import HERE, MAKERS, PROGRAMS, Lab, Row, machine, read_matrix   # noqa: E402
from bootlib.common import Failure, Progress, written   # noqa: E402

READS = (None, None, 400, 60, 15)   # a second, of each disk
LIMIT_S = 1800                      # a boot beside much else takes long
TRIES = 3                           # of a boot whose kernel stands still
STALL = re.compile(r'rcu: INFO: rcu_\w+ (?:self-)?detected (?:expedited )?stall|watchdog: BUG: soft lockup|'
                   r'watchdog: Watchdog detected hard LOCKUP')
NAMED = re.compile(r'inorder-root: (?:disk|card) (\S+) (\S+)')
# the control finds its root by what is on it, because a name may be any disk's
KINDS = {'ordered': '', 'serial': ' inorder.serial',
         'control': ' inorder.unordered root=UUID=0a1b2c3d-1111-2222-3333-000000000001'}


class Series:
    """The boots of one machine: what was seen, kept in a file."""

    def __init__(self, lab, name, spec):
        self.lab = lab
        self.name = name
        self.spec = spec
        self.folder = os.path.join(lab.folder, 'series')
        self.path = os.path.join(self.folder, f'{name}.json')
        os.makedirs(self.folder, exist_ok=True)
        self.digest = Row(lab, name, dict(spec, image='small')).digest()
        self.seen = {}
        try:
            with open(self.path, encoding='utf-8') as file:
                before = json.load(file)
            if before['digest'] == self.digest:
                self.seen = before['seen']
        except FileNotFoundError:
            pass

    def todo(self, boots, control):
        wanted = [('serial', 0)] + [('ordered', n) for n in range(boots)] + [('control', n) for n in range(control)]
        return [(self, kind, number) for kind, number in wanted if f'{kind} {number}' not in self.seen]

    def boot(self, kind, number):
        """Boots once. The number alone decides what is slow, so a boot can be repeated."""
        order = random.Random(f'{self.name} {number}')
        spec = dict(self.spec, line=self.spec['line'] + KINDS[kind], image='small')
        spec['cpus'] = '4' if kind == 'control' else order.choice('124')
        if kind != 'serial':
            spec['disks'] = ' '.join(word + (f',iops={reads}' if reads else '') for word in spec['disks'].split()
                                     for reads in (order.choice(READS),))
        row = Row(self.lab, f'series-{self.name}-{kind}-{number}', spec, LIMIT_S)
        hogs = [subprocess.Popen(['nice', '-n', str(nice), sys.executable, '-c', 'while True: pass'])
                for nice in order.choice(((), (10,), (5, 15)))]
        try:
            for hung in range(TRIES):
                wrong = row.boot()
                names, stood_still = self.seen_by(row)
                if not (stood_still and (wrong or '').startswith('still on') and self.may_be_right(kind, names)):
                    break
                os.replace(f'{row.prefix}.console', f'{row.prefix}.hung{hung + 1}')
                hung += 1
        finally:
            for hog in hogs:
                hog.kill()
                hog.wait()
        if not wrong:
            row.discard()
        return {'wrong': wrong, 'hung': hung, 'names': ' '.join(f'{key}={names[key]}' for key in sorted(names))}

    @staticmethod
    def seen_by(row):
        """The names in a boot's console, and whether its kernel said that a processor stood still."""
        with open(f'{row.prefix}.console', encoding='utf-8', errors='replace') as file:
            console = file.read()
        return {key: name for name, key in NAMED.findall(console)}, bool(STALL.search(console))

    def may_be_right(self, kind, names):
        """Whether no name that a boot gave differs from those of one step after the other."""
        right = dict(pair.split('=') for pair in self.seen.get('serial 0', {'names': ''})['names'].split())
        return kind == 'control' or all(right.get(key) == name for key, name in names.items())

    def keep(self, kind, number, result):
        self.seen[f'{kind} {number}'] = result
        with written(self.path) as new, open(new, 'w', encoding='utf-8') as file:
            json.dump({'digest': self.digest, 'seen': self.seen}, file, indent=1)

    def results(self, kind, count):
        return [self.seen[f'{kind} {n}'] for n in range(count)]


def run_all(todo, jobs, say):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(series.boot, kind, number): (series, kind, number) for series, kind, number in todo}
        try:
            for count, done in enumerate(concurrent.futures.as_completed(running), 1):
                series, kind, number = running[done]
                result = done.result()
                series.keep(kind, number, result)
                say(f'{count}/{len(todo)} {series.name} {kind} {number}: {result["wrong"] or "ok"}')
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def judge(series, boots, control):
    """One line of the table; what is wrong."""
    serial = series.seen['serial 0']
    ordered, unordered = series.results('ordered', boots), series.results('control', control)
    namings = {each['names'] for each in ordered}
    others = {each['names'] for each in unordered if each['names']}
    failed = [f'{series.name} {number}: {each["wrong"]}' for number, each in enumerate(ordered) if each['wrong']]
    hung = sum(each['hung'] for each in (serial, *ordered, *unordered))
    print(f'| {series.name} | {len(serial["names"].split())} | {boots} | {len(namings)} | {len(failed)} | {hung} | '
          f'{control} | {len(others)} |')
    if serial['wrong']:
        failed.append(f'{series.name}, one step after the other: {serial["wrong"]}')
    for names in sorted(namings - {serial['names']}):
        failed.append(f'{series.name}: not the names of one step after the other:\n  {names}\n  {serial["names"]}')
    if control and len(others) < 2:
        failed.append(f'{series.name}: {control} boots without order gave {len(others)} namings')
    return failed


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument('--boots', type=int, default=100)
    options.add_argument('--control', type=int, default=10)
    options.add_argument('--only', default='', help='only machines whose names match')
    options.add_argument('--jobs', type=int, default=os.cpu_count())
    options.add_argument('source')
    options.add_argument('build')
    chosen = options.parse_args()
    if missing := [name for name in (*MAKERS, *PROGRAMS)
                   if not shutil.which(name, path='/usr/sbin:/usr/bin:/sbin:/bin')]:
        print(f'skipped: not installed: {" ".join(missing)}')
        sys.exit(77)
    machine.exit_on_signals()
    say = Progress().say
    recipes, _, specs = read_matrix(os.path.join(HERE, 'matrix.ini'))
    lab = Lab(os.path.abspath(chosen.build), recipes, say)
    os.makedirs(os.path.join(lab.folder, 'boots'), exist_ok=True)
    lab.make_disks(['plain'])
    wanted = [Series(lab, name, spec) for name, spec in specs.items() if re.search(chosen.only, name)]
    # the machines in turn: a boot of each, then the next of each
    todo = sorted((each for series in wanted for each in series.todo(chosen.boots, chosen.control)),
                  key=lambda each: each[2])
    say(f'{len(todo)} boots')
    run_all(todo, chosen.jobs, say)
    print('| machine | disks, cards | boots | namings | failed | guest hung | without order | namings |\n'
          '|---|---|---|---|---|---|---|---|')
    failed = [text for series in wanted for text in judge(series, chosen.boots, chosen.control)]
    if failed:
        raise Failure('\n'.join(failed))


if __name__ == '__main__':
    try:
        main()
    except Failure as failure:
        sys.exit(f'FAILED: {failure}')
