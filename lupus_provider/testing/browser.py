"""Opens Airflow's page in a real Chromium and logs in, for tests and for pictures of the page."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from lupus_provider.errors import MissingToolError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--force-color-profile=srgb", "--font-render-hinting=none",
)  # fmt: skip


def find_chromium() -> str:
    """Return the path of Chromium or Chrome.

    Raises
    ------
    MissingToolError
        If neither is installed.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    raise MissingToolError("Chromium", "Install the package 'chromium' of your system.")


@contextmanager
def open_page(scheme: Literal["light", "dark"] = "light", width: int = 1440, height: int = 900) -> Iterator[Page]:
    """Yield an empty page: fixed size, language, zone and colours, so that two runs look the same."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale="en-US",
            timezone_id="UTC",
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        try:
            yield context.new_page()
        finally:
            browser.close()


def log_in(page: Page, url: str, user: str, password: str) -> None:
    """Log in by Airflow's own form, as a person does."""
    page.goto(f"{url}/")
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")
    page.wait_for_url(lambda address: "login" not in address)
