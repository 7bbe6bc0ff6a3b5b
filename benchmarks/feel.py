"""How do the labs feel? From a moved slider to the painted frame, in the built book, in a Chromium.

    python benchmarks/feel.py            every lab, 1280 and 390 px wide, a minute or two
    python benchmarks/feel.py --quick    a look: few moves, nothing is written

Writes feel.json and feel.md. The machine should have nothing else to do. The goals: a median of
17 ms (one frame) at full speed, a 95th percentile of 50 ms with the processor four times slower.
"""

import argparse
import datetime
import json
import sys
from pathlib import Path

from bench import machine

HERE = Path(__file__).parent
ROOT = HERE.parent
HTML = ROOT / "_build" / "html"
sys.path.insert(0, str(ROOT / "tools"))
from chromium import FLAGS, find_chromium  # noqa: E402

WIDTHS = {1280: 900, 390: 844}
READY = "document.querySelectorAll('.gtt-explorer:not([data-ready])').length === 0"
LABS = "(found) => found.filter((e) => e.querySelector('input[type=range]')).map((e) => e.id)"
# From the input, at the start of a frame as browsers deliver it, to the moment that it is painted.
PAINTED = """async ([id, moves]) => {
    const input = document.querySelector(`[id="${id}"] input[type=range]`), times = [];
    const { port1, port2 } = new MessageChannel();
    for (let i = 0; i < moves; i++) {
        await new Promise((done) => setTimeout(done, 20));
        times.push(await new Promise((done) => requestAnimationFrame(() => {
            const begun = performance.now();
            input.value = (Number(input.value) + 1 + (i % 3)) % (Number(input.max) + 1);
            input.dispatchEvent(new Event('input', {bubbles: true}));
            port1.onmessage = () => done(performance.now() - begun);
            port2.postMessage(0);
        })));
    }
    return times.sort((a, b) => a - b); }"""


def quantiles(page, speed, lab, *, rate, moves):
    """Median and 95th percentile, in ms, with the processor slowed `rate` times."""
    speed.send("Emulation.setCPUThrottlingRate", {"rate": rate})
    times = page.evaluate(PAINTED, [lab, moves])
    return [round(times[int(share * moves)], 1) for share in (0.5, 0.95)]


def measure(browser, moves):
    """A row for every lab of the built book at both widths."""
    rows = []
    for width, height in WIDTHS.items():
        for path in sorted(HTML.rglob("*.html")):
            if 'class="gtt-explorer"' not in path.read_text("utf-8"):
                continue
            context = browser.new_context(viewport={"width": width, "height": height})
            page = context.new_page()
            page.goto(path.as_uri())
            page.evaluate("dispatchEvent(new Event('beforeprint'))")  # brings all tables
            page.wait_for_function(READY, timeout=120_000)
            speed = context.new_cdp_session(page)
            for lab in page.eval_on_selector_all(".gtt-explorer", LABS):
                page.locator(f'[id="{lab}"]').scroll_into_view_if_needed()
                full = quantiles(page, speed, lab, rate=1, moves=moves)
                slow = quantiles(page, speed, lab, rate=4, moves=moves)
                rows.append(
                    {"page": path.stem, "lab": lab, "width": width, "full": full, "slow": slow}
                )
                print(*rows[-1].values(), flush=True)
            context.close()
    return rows


def markdown(result):
    whole = result["machine"]
    lines = [
        f"Measured on {result['date']}: {whole['processor']}, {whole['cores']} cores, "
        f"Chromium {result['browser']}. Milliseconds from a moved slider to the painted frame.",
        "",
        "| page | lab | width | median | 95 % | median, 4 times slower | 95 %, 4 times slower |",
        "| --- " * 7 + "|",
    ]
    for row in result["labs"]:
        numbers = " | ".join(str(value) for value in (*row["full"], *row["slow"]))
        lines.append(f"| {row['page']} | {row['lab']} | {row['width']} | {numbers} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few moves, nothing is written")
    quick = parser.parse_args().quick
    path, missing = find_chromium()
    if missing or not (HTML / "index.html").is_file():
        sys.exit(f"the labs were not measured: {missing or 'the book is not built: make book'}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        result = {
            "date": datetime.date.today().isoformat(),
            "machine": machine(),
            "browser": browser.version,
            "labs": measure(browser, moves=6 if quick else 40),
        }
        browser.close()
    if not quick:
        (HERE / "feel.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        (HERE / "feel.md").write_text(markdown(result), encoding="utf-8")
    print(markdown(result))


if __name__ == "__main__":
    main()
