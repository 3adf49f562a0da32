import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { NEMO, points, seriesDetail, summary } from "../../testing/builders.ts";
import { renderPage, stubApi } from "../../testing/renderPage.tsx";
import { fullRange, presetRange, zoomRange } from "./range.ts";
import { SeriesPage } from "./SeriesPage.tsx";

const AT = "/plugin/lupus/series/aaaaaaaaaaaaa-slug";
const DAY = 86_400;
const answers = { "/series/batch": { items: [points()] }, "/series/aaaaaaaaaaaaa": seriesDetail() };

const show = (search = "") => renderPage(<SeriesPage rest="aaaaaaaaaaaaa-slug" />, AT + search);
const address = () => decodeURIComponent(screen.getByTestId("address").textContent ?? "");

test("the page tells name, facts and detectors", async () => {
  stubApi(answers);
  show();
  expect(await screen.findByRole("heading", { level: 1, name: "dep_delay null_ratio [origin=EWR]" })).toBeTruthy();
  const about = screen.getByRole("region", { name: "About this series" });
  for (const text of ["flight-delay", "America/New_York", "0 6 * * *", "season_length", "Share of rows without a value."]) expect(about.textContent).toContain(text);
});

test("breadcrumbs lead to Discover narrowed step by step", async () => {
  stubApi(answers);
  show();
  const link = await screen.findByRole("link", { name: "origin=EWR" });
  expect(link.getAttribute("href")).toBe("/plugin/lupus/discover?project=flights&metric_set=departures&column=dep_delay&metric=null_ratio&group.origin=EWR");
});

test("a row of the anomalies opens its details, and the address holds it", async () => {
  const user = userEvent.setup();
  stubApi(answers);
  show("?theirs=1");
  await user.click(await screen.findByRole("button", { name: /Sat 2013-02-09/ }));
  expect(address()).toBe(`${AT}?theirs=1&a=${NEMO}`);
  const panel = screen.getByTestId("anomaly-panel");
  for (const text of ["57% where 1% was expected.", "0% – 5%", "1.0 × 10⁻⁹", "Sat 2013-02-09 (America/New_York)", "2013-02-09 05:00 UTC", "seasonal:1f0c2a9b"]) {
    expect(panel.textContent).toContain(text);
  }
  await user.click(screen.getByRole("button", { name: "Close" }));
  expect(address()).toBe(`${AT}?theirs=1`);
});

test("a shared address opens the same anomaly", async () => {
  stubApi(answers);
  show(`?a=${NEMO}`);
  expect(await screen.findByRole("region", { name: "Anomaly of Sat 2013-02-09" })).toBeTruthy();
});

test("the keyboard walks the chart and opens an anomaly", async () => {
  const user = userEvent.setup();
  stubApi(answers);
  show();
  (await screen.findByRole("application")).focus();
  await user.keyboard("{PageDown}");
  expect(screen.getByText("● anomaly")).toBeTruthy();
  await user.keyboard("{Enter}");
  expect(address()).toBe(`${AT}?a=${NEMO}`);
  await user.keyboard("{ArrowRight}");
  expect(screen.queryByText("● anomaly")).toBeNull();
});

test("the points are there as a table, newest first", async () => {
  stubApi(answers);
  show("?view=table");
  const table = await screen.findByRole("table", { name: /Points of/ });
  const rows = within(table).getAllByRole("row");
  expect(rows[1]?.textContent).toContain("Sun 2013-02-10");
  expect(rows[2]?.textContent).toContain("● anomaly");
});

test("a preset asks for that range", async () => {
  const user = userEvent.setup();
  const api = stubApi(answers);
  show();
  await user.click(await screen.findByRole("button", { name: "30 d" }));
  const { start, end } = presetRange(summary(), 30);
  await waitFor(() => expect(api.mock.calls.map(([, init]) => init?.body).some((body) => String(body).includes(`"start":${start},"end":${end}`))).toBe(true));
});

test("a copied link holds absolute times", async () => {
  const user = userEvent.setup();
  const write = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
  stubApi(answers);
  show(`?a=${NEMO}`);
  await user.click(await screen.findByRole("button", { name: "Copy link" }));
  expect(decodeURIComponent(write.mock.calls[0]?.[0] ?? "")).toContain(`?a=${NEMO}&start=2013-02-07T05:00Z&end=2013-02-11T05:00Z`);
});

test.each([403, 404])("a series that answers %i is not told apart from one that does not exist", async (status) => {
  stubApi({ "/series/batch": { items: [] }, "/series/aaaaaaaaaaaaa": status });
  show();
  expect((await screen.findByRole("alert")).textContent).toContain("Not found, or no access to its project");
});

test("points that fail leave the facts standing", async () => {
  stubApi({ ...answers, "/series/batch": 500 });
  show();
  expect((await screen.findByRole("alert")).textContent).toContain("It failed with 500.");
  expect(screen.getByRole("region", { name: "About this series" })).toBeTruthy();
});

test("ranges count civil days back from the newest point", () => {
  expect(presetRange(summary(), 30)).toEqual({ start: NEMO - 28 * DAY, end: NEMO + 2 * DAY });
  expect(fullRange(summary())).toEqual({ start: NEMO - 2 * DAY, end: NEMO + 2 * DAY });
});

test("a zoom never shows less than three periods", () => {
  const { start, end } = zoomRange(summary(), { start: NEMO, end: NEMO + 10 });
  expect(end - start).toBeGreaterThanOrEqual(3 * DAY);
  expect(start).toBeLessThan(NEMO);
});
