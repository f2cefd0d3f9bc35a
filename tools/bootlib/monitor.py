# SPDX-License-Identifier: MIT
"""QEMU's monitor: what happens to a machine while it runs, a disk that is plugged in for example."""
import json
import socket

from .common import Failure


class Monitor:
    """A monitor over a pair of sockets: the other end is handed on to QEMU, so there is no file and no port."""

    def __init__(self, limit_s=60):
        self.ours, self.theirs = socket.socketpair()
        self.ours.settimeout(limit_s)
        self.stream = None

    def options(self):
        return ['-chardev', f'socket,id=monitor,fd={self.theirs.fileno()}', '-mon', 'chardev=monitor,mode=control']

    def started(self):
        """QEMU has its end."""
        self.theirs.close()

    def close(self):
        for each in (self.stream, self.ours, self.theirs):
            if each:
                each.close()

    def execute(self, command, **arguments):
        """Runs a command of QMP and returns what it returns."""
        if not self.stream:
            self.stream = self.ours.makefile('rw', encoding='utf-8')
            self._ask({'execute': 'qmp_capabilities'})
        return self._ask({'execute': command, 'arguments': {name.replace('_', '-'): value
                                                            for name, value in arguments.items()}})

    def _ask(self, question):
        self.stream.write(json.dumps(question) + '\n')
        self.stream.flush()
        for line in self.stream:
            answer = json.loads(line)
            if 'error' in answer:
                raise Failure(f'QEMU does not do {question}: {answer["error"]["desc"]}')
            if 'return' in answer:
                return answer['return']
        raise Failure(f'QEMU ended before it answered {question}')
