import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { catalogPage } from "../testing/builders.ts";
import { renderPage, stubApi } from "../testing/renderPage.tsx";
import { pageFor, splitPath } from "./routes.tsx";

test("a path splits into page and rest under any base", () => {
  expect(splitPath("/plugin/lupus")).toEqual(["", ""]);
  expect(splitPath("/af/plugin/lupus/series/abc-slug/")).toEqual(["series", "abc-slug"]);
});

test("the bare address and /discover show Discover", async () => {
  stubApi({ "/catalog": catalogPage() });
  renderPage(pageFor("/plugin/lupus"), "/plugin/lupus");
  expect(await screen.findByRole("heading", { level: 1, name: "Discover" })).toBeTruthy();
});

test("an unknown path says so and leads to Discover", () => {
  renderPage(pageFor("/plugin/lupus/nowhere"), "/plugin/lupus/nowhere");
  expect(screen.getByRole("alert").textContent).toContain("no page at this address");
  expect(screen.getByRole("link", { name: "Discover" }).getAttribute("href")).toBe("/plugin/lupus/discover");
});

test("a page that is planned says that it is not there yet", () => {
  renderPage(pageFor("/plugin/lupus/deadlines"), "/plugin/lupus/deadlines");
  expect(screen.getByRole("alert").textContent).toContain("Deadlines is not part of this version");
});
