# SPDX-License-Identifier: MIT
"""What the parts share: errors, progress, child processes, files written at once or not at all."""
import contextlib
import os
import subprocess
import sys
import time


class Failure(Exception):
    """Something that the user must know about; the text says what, on what, and what to do."""


class Progress:
    """Lines that say what is done, with the seconds since the start."""

    def __init__(self, quiet=False):
        self.start = time.monotonic()
        self.quiet = quiet

    def say(self, text):
        if not self.quiet:
            print(f'[{time.monotonic() - self.start:6.1f}] {text}', flush=True)


def run(command, what, **options):
    """Runs a command to its end. A failure shows what it wrote."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors='replace', check=False, **options)
    except OSError as error:
        raise Failure(f'cannot {what}: {command[0]}: {error.strerror}; is its package installed '
                      '(tools/install-packages boot)?') from error
    if done.returncode:
        raise Failure(f'cannot {what}: {command[0]} failed ({done.returncode}):\n{done.stdout.strip()}')
    return done.stdout


@contextlib.contextmanager
def written(path):
    """A name beside path to write to, which becomes path if all went well."""
    temporary = f'{path}.{os.getpid()}.new'
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def is_newer(target, *sources):
    """True if target exists and is not older than any source."""
    try:
        made = os.stat(target).st_mtime_ns
    except FileNotFoundError:
        return False
    return all(os.stat(source).st_mtime_ns <= made for source in sources)


def warn(text, program='boot'):
    print(f'{program}: {text}', file=sys.stderr, flush=True)
