"""Find a Chromium for the browser tests, or get one: an installed one first, then Playwright's, then the system's.

python tools/chromium.py    installs one if none is found; ends with one line that says what it found or what is missing
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


def get_chromium():
    """As `find_chromium`, after trying Playwright's download and the system's package manager."""
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get"):
        sudo = [] if "--no-sandbox" in FLAGS else ["sudo", "-n"]
        attempts += [
            [*sudo, "apt-get", "update", "-qq"],
            [*sudo, "apt-get", "install", "-y", "-qq", "chromium"],
        ]
    found = find_chromium()
    while found[1] and attempts and not os.environ.get("CHROMIUM"):
        attempt = attempts.pop(0)
        print("no browser yet, trying:", " ".join(attempt), flush=True)
        try:
            subprocess.run(
                attempt, timeout=600, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            print("  ", error)
        found = find_chromium()
    return found


if __name__ == "__main__":
    path, missing = get_chromium()
    print(missing or f"browser: {path}")
    sys.exit(bool(missing))
