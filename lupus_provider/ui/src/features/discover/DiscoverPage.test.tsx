import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { catalogPage, points, summary } from "../../testing/builders.ts";
import { renderPage, stubApi } from "../../testing/renderPage.tsx";
import { DiscoverPage } from "./DiscoverPage.tsx";

const AT = "/plugin/lupus/discover";
const batch = { items: [points()] };

const address = () => screen.getByTestId("address").textContent ?? "";

test("loading shows a skeleton of the wall, but not at once", async () => {
  stubApi({ "/catalog": new Promise(() => undefined) });
  renderPage(<DiscoverPage />, AT);
  expect(screen.queryByRole("status", { name: "Loading series" })).toBeNull();
  expect(await screen.findByRole("status", { name: "Loading series" })).toBeTruthy();
});

test("a card tells name, newest value against expected, and anomalies, and leads to its chart", async () => {
  stubApi({ "/catalog": catalogPage(), "/series/batch": batch });
  renderPage(<DiscoverPage />, AT);
  const card = await screen.findByRole("article");
  expect(card.textContent).toContain("2013-02-10: 2%, expected 1%");
  expect(card.textContent).toContain("1 anomaly");
  expect(within(card).getByRole("link").getAttribute("href")).toMatch(/^\/plugin\/lupus\/series\/aaaaaaaaaaaaa-/);
  expect(screen.getByText("1 of 193 series")).toBeTruthy();
});

test("one page of cards is one request for points", async () => {
  const items = [summary(), summary({ series_id: "bbbbbbbbbbbbb", name: "other" })];
  const api = stubApi({ "/catalog": catalogPage({ items, total: 2 }), "/series/batch": batch });
  renderPage(<DiscoverPage />, AT);
  await screen.findAllByRole("article");
  await waitFor(() => expect(api).toHaveBeenCalledTimes(2));
});

test("choosing a facet value and a chip changes the address and asks again", async () => {
  const user = userEvent.setup();
  const api = stubApi({ "/catalog": catalogPage(), "/series/batch": batch });
  renderPage(<DiscoverPage />, `${AT}?theirs=1`);
  await user.click(await screen.findByRole("checkbox", { name: /JFK/ }));
  await user.click(screen.getByRole("button", { name: /Anomalous/ }));
  expect(address()).toBe(`${AT}?theirs=1&group.origin=JFK&only=anomalous`);
  await waitFor(() => expect(api.mock.calls.some(([url]) => String(url).includes("group.origin=JFK") && String(url).includes("only=anomalous"))).toBe(true));
});

test("typing waits, then searches, and keeps the focus", async () => {
  const user = userEvent.setup();
  const api = stubApi({ "/catalog": catalogPage(), "/series/batch": batch });
  renderPage(<DiscoverPage />, AT);
  await screen.findByRole("article");
  await user.keyboard("/");
  await user.keyboard("null");
  await waitFor(() => expect(address()).toBe(`${AT}?q=null`));
  expect(document.activeElement).toBe(screen.getByRole("searchbox", { name: "Search series" }));
  const searches = new Set(api.mock.calls.map(([url]) => new URL(String(url), "http://x").searchParams.get("q")));
  expect(searches.has("n")).toBe(false);
});

test("no data at all explains how to get some", async () => {
  stubApi({ "/catalog": catalogPage({ items: [], total: 0, total_all: 0, first_period: null, last_period: null, days: [] }) });
  renderPage(<DiscoverPage />, AT);
  expect((await screen.findByText("No series yet")).closest("[role=status]")?.textContent).toContain("lupus backfill");
});

test("filters that leave nothing can be cleared", async () => {
  const user = userEvent.setup();
  stubApi({ "/catalog": catalogPage({ items: [], total: 0, first_period: null, last_period: null, days: [] }) });
  renderPage(<DiscoverPage />, `${AT}?q=zzz&theirs=1`);
  await screen.findByText("0 of 193 series match");
  await user.click(screen.getByRole("button", { name: "Clear all filters" }));
  expect(address()).toBe(`${AT}?theirs=1`);
});

test("nothing anomalous is good news that proves it looked", async () => {
  stubApi({ "/catalog": catalogPage({ items: [], total: 0 }) });
  renderPage(<DiscoverPage />, `${AT}?only=anomalous`);
  expect((await screen.findByText("Nothing is anomalous")).closest("[role=status]")?.textContent).toContain("193 series were looked at");
});

test("a failed catalogue says why and can be tried again", async () => {
  const user = userEvent.setup();
  const api = stubApi({ "/catalog": 503 });
  renderPage(<DiscoverPage />, AT);
  expect((await screen.findByRole("alert")).textContent).toContain("It failed with 503.");
  await user.click(screen.getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(api).toHaveBeenCalledTimes(2));
});

test.each([403, 404])("a %i looks like every other refusal", async (status) => {
  stubApi({ "/catalog": status });
  renderPage(<DiscoverPage />, AT);
  expect((await screen.findByRole("alert")).textContent).toContain("Not found, or no access to its project");
});

test("points that fail leave the wall standing, each card with a retry", async () => {
  stubApi({ "/catalog": catalogPage(), "/series/batch": 500 });
  renderPage(<DiscoverPage />, AT);
  const card = await screen.findByRole("article");
  expect(await within(card).findByText("The points did not load.")).toBeTruthy();
  expect(screen.getByRole("link", { name: /origin=EWR/ })).toBeTruthy();
});

test("the table shows the same series", async () => {
  stubApi({ "/catalog": catalogPage() });
  renderPage(<DiscoverPage />, `${AT}?view=table`);
  const row = (await screen.findByRole("link", { name: "dep_delay null_ratio [origin=EWR]" })).closest("tr");
  expect(row?.textContent).toContain("2013-02-09");
});

test("days chosen by keyboard become a window of whole local days", async () => {
  const user = userEvent.setup();
  stubApi({ "/catalog": catalogPage(), "/series/batch": batch });
  renderPage(<DiscoverPage />, AT);
  await user.type(await screen.findByLabelText("From day"), "2013-02-09");
  await waitFor(() => expect(decodeURIComponent(address())).toBe(`${AT}?start=2013-02-09T05:00Z&end=2013-02-10T05:00Z`));
  expect(screen.getByRole("button", { name: "Remove filter 2013-02-09" })).toBeTruthy();
});
