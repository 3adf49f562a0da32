"""How long does a person wait for the first chart of Discover, in a browser that has seen nothing?

Needs a running demo; prints what passed until Airflow's page asked us, and from there to the first painted chart. Wall time on a
busy machine is an upper bound: the parts of one run are to be compared with each other.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

from lupus_provider.testing.browser import log_in, open_page

RUNS = 5


def one_run(url: str, user: str, password: str) -> dict[str, float]:
    with open_page() as page:
        log_in(page, url, user, password)
        page.goto("about:blank")
        page.context.clear_permissions()
        page.goto(f"{url}/plugin/lupus/discover", wait_until="commit")
        page.wait_for_selector("[data-testid=card] canvas")
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return page.evaluate(
            """() => {
                const files = performance.getEntriesByType('resource').filter(e => e.name.includes('/lupus/'));
                const asked = Math.min(...files.map(e => e.startTime));
                const sizes = files.filter(e => e.name.includes('/static/')).reduce((sum, e) => sum + e.encodedBodySize, 0);
                return {host: asked, ours: performance.now() - asked, total: performance.now(), requests: files.length, script_bytes: sizes};
            }"""
        )


def main(home: Path) -> None:
    address = json.loads((home / "address.json").read_text())
    runs = [one_run(address["url"].rstrip("/"), address["user"], address["password"]) for _ in range(RUNS)]
    result = {name: round(statistics.median(run[name] for run in runs)) for name in runs[0]}
    print(f"until Airflow's page asks us   {result['host']} ms")
    print(f"from there to the first chart  {result['ours']} ms")
    print(
        f"requests of ours               {result['requests']}, scripts {result['script_bytes'] / 1024:.1f} KB as sent"
    )
    (Path(__file__).parent / "results").mkdir(exist_ok=True)
    (Path(__file__).parent / "results" / f"{Path(__file__).stem}.json").write_text(
        json.dumps({"median_of": RUNS, **result}, indent=2) + "\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".lupus"))
