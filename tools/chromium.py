"""Find a Chromium for the browser tests, or get one: an installed one first, then Playwright's,
then the system's.

python tools/chromium.py    installs one if none is found; the last line says what it found, or
                            what is missing and the last word of each attempt to get it
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
)
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
FLAGS = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
if hasattr(os, "geteuid") and os.geteuid() == 0:
    FLAGS.append("--no-sandbox")  # Chromium refuses to start as root with its sandbox
MISSING = "no browser: install Chromium or Chrome, or name one in CHROMIUM=/path/to/it"


def find_chromium():
    """(path, None), or (None, what is missing)."""
    named = os.environ.get("CHROMIUM")
    if named:
        return (named, None) if Path(named).is_file() else (None, f"CHROMIUM={named} is no file")
    for path in filter(None, (*map(shutil.which, NAMES), *PLACES)):
        if Path(path).is_file():
            return path, None
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None, "no Playwright: pip install -r requirements-test.txt"
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return (path, None) if Path(path).is_file() else (None, MISSING)


def last_words(command):
    """Why a command failed, in its own words: the last line that says "error" or that it could
    not, else its last line; None if it went well."""
    try:
        done = subprocess.run(
            command,
            timeout=600,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    telling = [
        line
        for line in lines
        if any(word in line.lower() for word in ("could not", "error", "fail", "unable"))
    ]
    return ([f"exit code {done.returncode}"] + lines[-1:] + telling[:1])[-1]


def attempts():
    """The commands that may bring a browser, by the name of who brings it."""
    yield "Playwright", [sys.executable, "-m", "playwright", "install", "chromium"]
    if shutil.which("apt-get"):
        sudo = [] if "--no-sandbox" in FLAGS else ["sudo", "-n"]
        yield "apt-get", [*sudo, "apt-get", "update", "-qq"]
        yield "apt-get", [*sudo, "apt-get", "install", "-y", "-qq", "chromium"]


def get_chromium():
    """As `find_chromium`, after trying Playwright's download and the system's package manager."""
    found, said = find_chromium(), {}
    for who, command in attempts():
        if not found[1] or os.environ.get("CHROMIUM"):
            return found
        print("no browser yet, trying:", " ".join(command), flush=True)
        if reason := last_words(command):
            said[who] = reason
        found = find_chromium()
    reasons = "; ".join(f"{who} said: {reason}" for who, reason in said.items())
    return (None, f"{found[1]} ({reasons})") if found[1] and said else found


if __name__ == "__main__":
    path, missing = get_chromium()
    print(missing or f"browser: {path}")
    sys.exit(bool(missing))
