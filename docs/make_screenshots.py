"""Takes the pictures of the README from a running demo: `make demo` in one terminal, `make screenshots` in another."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from lupus_provider.testing.browser import log_in, open_page

IMAGES = Path(__file__).parent / "images"
PAGES = (
    ("discover", "discover?project=flights&sort=attention", "[data-testid=card] canvas"),
    ("series", "discover?project=flights&q=dep_delay+null_ratio&group_by=(whole)", "[data-testid=card] canvas"),
)


def main(home: Path) -> None:
    """Write `docs/images/<page>-<scheme>.png`."""
    address = json.loads((home / "address.json").read_text())
    url = address["url"].rstrip("/")
    IMAGES.mkdir(exist_ok=True)
    for scheme in ("light", "dark"):
        with open_page(scheme, 1440, 900) as page:  # type: ignore[arg-type]
            log_in(page, url, address["user"], address["password"])
            for name, path, ready in PAGES:
                page.goto(f"{url}/plugin/lupus/{path}")
                page.wait_for_selector(ready)
                if name == "series":
                    page.locator("[data-testid=card]").get_by_role("link").first.click()
                    page.wait_for_selector("[data-testid=main-chart] canvas")
                page.wait_for_timeout(800)
                page.screenshot(path=IMAGES / f"{name}-{scheme}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".lupus"))
