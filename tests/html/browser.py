# SPDX-License-Identifier: MIT
"""A headless Chromium, driven by the DevTools protocol over a pipe: no port, no other package."""
import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile

PATIENCE = 240   # seconds
KEYS = {"ArrowLeft": 37, "ArrowRight": 39, "Enter": 13, "Escape": 27, "Home": 36}


class Browser:
    def __init__(self, width=1400, height=800):
        program = shutil.which("chromium")
        if not program:
            print("no chromium: skipped")
            sys.exit(77)
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        mine, self.input = os.pipe()
        self.output, theirs = os.pipe()
        command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--no-first-run", "--disable-extensions", "--disable-background-networking",
                   f"--user-data-dir={self.folder.name}", f"--window-size={width},{height}",
                   "--remote-debugging-pipe", "about:blank"]
        self.log = open(os.path.join(self.folder.name, "log"), "w+b")
        self.process = subprocess.Popen(["sh", "-c", f'exec "$@" 3<&{mine} 4>&{theirs}', "sh"] + command,
                                        pass_fds=(mine, theirs), stdout=self.log, stderr=self.log)
        os.close(mine)
        os.close(theirs)
        self.rest, self.number, self.session = b"", 0, None
        self.requests, self.errors = [], []
        page = next(one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(domain + ".enable")

    def receive(self):
        while b"\0" not in self.rest:
            if not select.select([self.output], [], [], PATIENCE)[0]:
                raise RuntimeError("chromium does not answer")
            data = os.read(self.output, 1 << 20)
            if not data:
                self.log.seek(0)
                raise RuntimeError("chromium has ended: " + self.log.read().decode(errors="replace")[-2000:])
            self.rest += data
        line, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(line)
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"])
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(message["params"]["exceptionDetails"])[:2000])
        if message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
            self.errors.append(message["params"]["entry"]["text"])
        return message

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.input, data):]
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def wait(self, method):
        while self.receive().get("method") != method:
            pass

    def load(self, path):
        self.call("Page.navigate", url=pathlib.Path(path).absolute().as_uri())
        self.wait("Page.loadEventFired")

    def open(self, path):
        """Loads a chart's page."""
        self.load(path)
        assert self.run("document.documentElement.dataset.ready") == "yes", self.errors

    def run(self, expression):
        """The value of an expression, once the page has been painted."""
        self.call("Runtime.evaluate", awaitPromise=True,
                  expression="new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        answer = self.call("Runtime.evaluate", returnByValue=True, expression=expression)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def mouse(self, kind, x, y, **rest):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **rest)

    def click(self, x, y):
        self.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        self.mouse("mouseReleased", x, y, button="left", clickCount=1)

    def key(self, key, modifiers=0):
        text = key if len(key) == 1 else "\r" if key == "Enter" else ""
        rest = {"key": key, "modifiers": modifiers, "windowsVirtualKeyCode": KEYS.get(key, 0)}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **rest)
        self.call("Input.dispatchKeyEvent", type="keyUp", **rest)

    def save(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def close(self):
        os.close(self.input)
        os.close(self.output)
        self.process.terminate()
        self.process.wait()
        self.log.close()
        self.folder.cleanup()
