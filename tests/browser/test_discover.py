from __future__ import annotations

import re

import pytest

from lupus_provider.testing.browser import log_in, open_page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


@pytest.fixture(params=["light", "dark"])
def page(site, request):
    with open_page(request.param) as page:
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "response",
            lambda r: wrong.append(f"{r.status} {r.url}") if "/lupus/" in r.url and r.status >= 400 else None,
        )
        log_in(page, site.url, site.user, site.password)
        yield page
        assert wrong == []


def test_the_blizzard_is_found_in_discover_and_its_chart_opens(site, page):
    page.get_by_role("link", name="Lupus").click()
    page.wait_for_selector("[data-testid=card] canvas")
    assert page.locator("main h1").inner_text() == "Discover"

    page.get_by_label("Search series").press_sequentially(
        "dep_delay null_ratio"
    )  # cancelled flights have no departure delay
    page.wait_for_url(re.compile("q=dep_delay"))
    page.get_by_role("navigation", name="Filters").get_by_text("(whole)", exact=True).click()
    page.get_by_text(re.compile(r"^\s*1 of \d+ series")).wait_for()
    page.get_by_label("From day").fill("2013-02-08")
    page.wait_for_url(re.compile("start=2013-02-08"))
    page.get_by_label("To day").fill("2013-02-09")
    card = page.locator("[data-testid=card]").filter(has_text="2 anomalies")
    card.wait_for()
    assert "q=dep_delay" in page.url

    card.get_by_role("link").first.click()
    page.wait_for_selector("[data-testid=main-chart] canvas")
    assert "/plugin/lupus/series/" in page.url
    rows = page.get_by_role("row").filter(has_text=re.compile("2013-02-0[89]"))
    texts = [" ".join(text.split()) for text in rows.all_inner_texts()]
    assert any("Fri 2013-02-08" in text and "50.8%" in text for text in texts), texts
    assert any("Sat 2013-02-09" in text and "57.5%" in text for text in texts), texts

    rows.filter(has_text="2013-02-09").first.get_by_role("button").click()
    panel = page.locator("[data-testid=anomaly-panel]")
    panel.wait_for()
    assert "57.5%" in panel.inner_text()
    assert "a=1360386000" in page.url  # local midnight of 9 February in New York

    shared = page.url
    page.goto("about:blank")
    page.goto(shared)
    page.wait_for_selector("[data-testid=anomaly-panel]")


def test_the_page_has_no_serious_accessibility_fault(site, page):
    from axe_playwright_python.sync_playwright import Axe

    for path, ready in (("discover?project=flights", "[data-testid=card] canvas"), ("discover?view=table", "table")):
        page.goto(f"{site.url}/plugin/lupus/{path}")
        page.wait_for_selector(ready)
        found = Axe().run(page, context="[data-testid=lupus]").response["violations"]
        assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []


def test_typing_keeps_the_focus_and_the_address_keeps_the_state(site, page):
    page.goto(f"{site.url}/plugin/lupus/discover")
    page.wait_for_selector("[data-testid=card] canvas")
    page.keyboard.press("/")
    page.keyboard.type("weather visib", delay=30)
    page.wait_for_function("location.search.includes('visib')")
    page.get_by_text(re.compile(r"^\s*3 of \d+ series")).wait_for()
    page.reload()
    page.get_by_text(re.compile(r"^\s*3 of \d+ series")).wait_for()
    assert page.get_by_label("Search series").input_value() == "weather visib"


def test_an_anonymous_visitor_gets_the_login_and_no_data(site):
    with open_page() as page:
        page.goto(f"{site.url}/plugin/lupus/discover")
        page.wait_for_selector("input[name=password]")
        answer = page.request.get(f"{site.url}/lupus/api/v1/catalog/search")
        assert answer.status == 401
        assert "flights" not in answer.text()
