"""Firefox and WebKit with one small set of verbs: goto, js, keys, pointer, close.

Chromium has Playwright instead. Firefox is spoken to over WebDriver BiDi, WebKit through its
WebDriver, both with what is pinned already.
"""

import contextlib
import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

PATIENCE = 300  # seconds until an answer is given up: a busy machine is slow, not broken
MINIBROWSERS = "/usr/lib/*/webkit2gtk-4.*/MiniBrowser"
HALF_PARSED = "Invalid markup: Incorrect number of children"
ERRORS = """
    window.gttErrors = [];
    addEventListener("error", (e) => gttErrors.push(String(e.message || e.target?.src)), true);
    addEventListener("unhandledrejection", (e) => gttErrors.push(String(e.reason)));
"""


class Firefox:
    """An installed Firefox, headless."""

    name = "firefox"

    @staticmethod
    def missing():
        return None if shutil.which("firefox-esr") or shutil.which("firefox") else "no Firefox"

    def __init__(self):
        import websocket

        path = shutil.which("firefox-esr") or shutil.which("firefox")
        self.profile = tempfile.mkdtemp()
        command = [path, "--headless", "--no-remote", "--profile", self.profile]
        self.process = subprocess.Popen(
            [*command, "--remote-debugging-port", "0"],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        address = None
        for line in self.process.stderr:
            if found := re.search(r"BiDi listening on (ws://\S+)", line):
                address = found[1]
                break
        self.socket = websocket.create_connection(
            f"{address}/session", suppress_origin=True, timeout=PATIENCE
        )
        self.numbers = itertools.count(1)
        self.console = []
        self.send("session.new", capabilities={})
        self.send("session.subscribe", events=["log.entryAdded"])
        self.context = self.send("browsingContext.getTree")["contexts"][0]["context"]
        size = {"width": 1280, "height": 900}
        self.send("browsingContext.setViewport", context=self.context, viewport=size)

    def send(self, method, **params):
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("method") == "log.entryAdded":
                self.console.append(message["params"]["text"])
            elif message.get("id") == number:
                if message["type"] == "error":
                    raise RuntimeError(message["message"])
                return message["result"]

    def goto(self, address):
        self.console.clear()
        self.send("browsingContext.navigate", context=self.context, url=address, wait="complete")

    def js(self, expression):
        """The value of an expression, which may be a promise."""
        answer = self.send(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})) ?? 'null')()",
            target={"context": self.context},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def act(self, source):
        self.send("input.performActions", context=self.context, actions=[source])

    def errors(self):
        """But for formulas that are laid out while half of them is still to come."""
        return [line for line in self.console if not line.startswith(HALF_PARSED)]

    def close(self):
        with contextlib.suppress(Exception):
            self.send("browser.close")
        self.socket.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        shutil.rmtree(self.profile, ignore_errors=True)


class WebKit:
    """WebKitGTK's small browser through WebKitWebDriver, on a screen that nobody sees."""

    name = "webkit"

    @staticmethod
    def missing():
        for needed in ("WebKitWebDriver", "Xvfb", "dbus-run-session"):
            if not shutil.which(needed):
                return f"no {needed}"
        return None if WebKit.browser() else "no MiniBrowser"

    @staticmethod
    def browser():
        found = sorted(Path("/").glob(MINIBROWSERS.lstrip("/")))
        return str(found[-1]) if found else None

    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        env = os.environ | {"LIBGL_ALWAYS_SOFTWARE": "1"}
        if os.geteuid() == 0:
            env["WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS"] = "1"  # or it refuses to start as root
        command = ["xvfb-run", "-a", "dbus-run-session", "--", "WebKitWebDriver", "-p", str(port)]
        self.process = subprocess.Popen(
            command,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.base = f"http://127.0.0.1:{port}"
        options = {"binary": self.browser(), "args": ["--automation"]}
        wanted = {"browserName": "MiniBrowser", "webkitgtk:browserOptions": options}
        self.session = ""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                made = self.send("POST", "", {"capabilities": {"alwaysMatch": wanted}})
                break
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        self.session = f"/{made['sessionId']}"
        seconds = {"script": 1000 * PATIENCE, "pageLoad": 1000 * PATIENCE}
        self.send("POST", "/timeouts", seconds)
        self.send("POST", "/window/rect", {"width": 1300, "height": 1000})

    def send(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.base}/session{self.session}{path}", data, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"]) from error

    def goto(self, address):
        self.send("POST", "/url", {"url": address})
        self.js(f"(() => {{ {ERRORS} }})()")

    def js(self, expression):
        """The value of an expression, which may be a promise."""
        script = (
            "const done = arguments[0];"
            f"(async () => JSON.stringify(await ({expression})) ?? 'null')()"
            ".then((value) => done([value, null]), (error) => done([null, String(error)]));"
        )
        value, error = self.send("POST", "/execute/async", {"script": script, "args": []})
        if error:
            raise RuntimeError(error)
        return json.loads(value)

    def act(self, source):
        self.send("POST", "/actions", {"actions": [source]})

    def errors(self):
        return self.js("window.gttErrors")

    def close(self):
        with contextlib.suppress(Exception):
            self.send("DELETE", "")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, 15)
        self.process.wait(20)


ENGINES = {engine.name: engine for engine in (Firefox, WebKit)}


def keys(engine, text):
    """Press keys one after the other; \\ue014 is the right arrow, \\ue007 Enter, \\ue004 Tab."""
    presses = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
    engine.act({"type": "key", "id": "keys", "actions": presses})


def drag(engine, start, by):
    """Press at `start`, move by `by` in six steps, let go; (0, 0) is a click."""

    def move(share):
        x, y = (round(a + share * b) for a, b in zip(start, by, strict=True))
        return {"type": "pointerMove", "x": x, "y": y, "duration": 20}

    way = [move(k / 6) for k in range(1, 7)] if any(by) else []
    actions = [
        move(0),
        {"type": "pointerDown", "button": 0},
        *way,
        {"type": "pointerUp", "button": 0},
    ]
    pointer = {"pointerType": "mouse"}
    engine.act({"type": "pointer", "id": "mouse", "parameters": pointer, "actions": actions})


def wait_for(engine, condition, seconds=PATIENCE):
    """Wait until an expression is true."""
    deadline = time.monotonic() + seconds
    while not engine.js(f"Boolean({condition})"):
        assert time.monotonic() < deadline, f"still not: {condition}"
        time.sleep(0.1)


def middle(engine, selector):
    """Where the middle of an element is in the window."""
    box = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
    return engine.js(f"(b => [b.x + b.width / 2, b.y + b.height / 2])({box})")
