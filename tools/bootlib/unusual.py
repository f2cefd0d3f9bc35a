# SPDX-License-Identifier: MIT
"""Figures of tests/kernel/nasty/nasty.c: its cases, what it says in a kernel's log, and what is asked of ours."""
import re

from .common import Failure

CHAINS = (400, 800)                # nested waits; twice as many may take three times as long
# case, how many, ms
BOTH = [('chain', 200, 0), ('turns', 500, 0), ('sleepers', 1000, 100), ('sleepers', 5000, 100), ('bulk', 300, 0),
        ('latency', 300, 0), ('tree', 500, 0), ('tree_reverse', 200, 0), ('parents', 100, 50), ('endless', 64, 200),
        ('nodes', 480, 0), ('memory', 5000, 100), ('context', 8, 1)]
# what the stock kernel has no call for, or hangs in: its workqueue runs 256 at once
OURS = [('chain', CHAINS[0], 0), ('chain', CHAINS[1], 0), ('tree_reverse', 1000, 0), ('parents', 500, 50),
        ('single_waits', 1000, 50), ('misuse', 50, 0)]
LINE = re.compile(r'nasty: (\S+) (\w+) n=(\d+): (.*)$', re.M)
PROBES = re.compile(r'irqs off at most (\d+) us .*tasks at most (\d+)')
# time is what was computed; an idle processor leaps to its next timer
EXACT = ['-accel', 'tcg,thread=single', '-smp', '1', '-icount', 'shift=1,sleep=off', '-rtc', 'base=2024-01-01,clock=vm']
MOST_OFF_US = 100
LIMIT_S = 600


def figures(log, who, cases):
    """{(case, n): (us with interrupts off, most tasks, what else it says)} of the kernel's calls or ours."""
    found = {}
    for name, what, number, said in LINE.findall(log.text):
        if name == who:
            found.setdefault((what, int(number)), []).append(said)
    missing = {(what, number) for what, number, _ in cases} - set(found)
    if missing:
        raise Failure(f'{log.path} has no figures of {missing}')
    result = {}
    for key, lines in found.items():
        probes = PROBES.search(lines[-1])
        if not probes:
            raise Failure(f'{log.path} has no figures of {key}')
        result[key] = (int(probes.group(1)), int(probes.group(2)), '; '.join(lines[:-1]))
    return result


def judge(stock, ours, say):
    """Both side by side. Ours never has interrupts off for long, and a chain costs n steps."""
    for key, row in ours.items():
        for who, figure in (('stock', stock.get(key)), ('ours', row)):
            if figure:
                say(f'  {key[0]:12} n={key[1]:<5} {who:5} irqs off {figure[0]:6} us, {figure[1]:5} tasks: {figure[2]}')
    off_us = {key: row[0] for key, row in ours.items()}
    wrong = {key: us for key, us in off_us.items() if us > MOST_OFF_US}
    if wrong:
        raise Failure(f'interrupts are off for more than {MOST_OFF_US} us: {wrong}')
    short, long = (int(ours['chain', number][2].split()[-2]) for number in CHAINS)
    if long > 3 * short:
        raise Failure(f'a chain of {CHAINS[1]} takes {long} us, one of {CHAINS[0]} {short} us: more than linear')
    return (f'interrupts off at most {max(off_us.values())} us; stock {max(row[0] for row in stock.values())} us')
