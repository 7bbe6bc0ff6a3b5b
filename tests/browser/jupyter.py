"""A notebook in JupyterLab, with a kernel, for the tests of what is live."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

from patience import PATIENCE, PATIENT_LAB


@contextlib.contextmanager
def open_notebook(browser, folder, sources):
    """An open notebook with a cell for each {name: source}; run(name) executes one and returns
    it."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [
        {"cell_type": "code", "id": name, "metadata": {}, "outputs": [], "execution_count": None,
         "source": source}
        for name, source in sources.items()
    ]  # fmt: skip
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel},
        "cells": cells,
    }
    (folder / "live.ipynb").write_text(json.dumps(content), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {
        f"JUPYTER_{name}_DIR": str(folder / f".{name}") for name in ("CONFIG", "DATA", "RUNTIME")
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
         "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}", "--LabApp.news_url=",
         "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"],
        env=os.environ | own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(PATIENCE)
    page.add_init_script(PATIENT_LAB)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        page.goto(f"http://127.0.0.1:{port}/lab/tree/live.ipynb")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=PATIENCE)
        page.wait_for_selector("text=Python 3 (ipykernel) | Idle", timeout=PATIENCE)

        def run(name, wait):
            cell = page.locator(".jp-Notebook .jp-CodeCell").nth(list(sources).index(name))
            prompt = cell.locator(".jp-InputPrompt")
            before = prompt.text_content()
            cell.locator(".cm-content").click()
            page.keyboard.press("Control+Enter")
            page.wait_for_function(
                "([e, before]) => /\\d/.test(e.textContent) && e.textContent !== before",
                arg=[prompt.element_handle(), before],
                timeout=PATIENCE,
            )
            cell.locator(wait).first.wait_for(timeout=PATIENCE)
            return cell

        run.page = page
        yield run
    finally:
        page.close()
        server.terminate()
        server.wait(timeout=20)
