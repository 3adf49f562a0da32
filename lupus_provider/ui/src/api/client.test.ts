import { afterEach, expect, test, vi } from "vitest";

import { stubApi } from "../testing/renderPage.tsx";
import { apiUrl, loginUrl, post, request } from "./client.ts";

afterEach(() => document.head.replaceChildren());

test("addresses start at Airflow's base, whatever it is", () => {
  expect(apiUrl("/me")).toBe("/lupus/api/v1/me");
  const base = document.createElement("base");
  base.setAttribute("href", "/af/");
  document.head.append(base);
  expect(apiUrl("/me")).toBe("/af/lupus/api/v1/me");
  expect(loginUrl()).toMatch(/^\/af\/api\/v2\/auth\/login\?next=http/);
});

test("a problem becomes an error with its words", async () => {
  stubApi({ "/me": 503 });
  await expect(request("/me")).rejects.toMatchObject({ name: "ApiError", status: 503, message: "It failed with 503." });
});

test("an error page that is no JSON still has a status", async () => {
  vi.stubGlobal("fetch", async () => new Response("<html>", { status: 502, statusText: "Bad Gateway" }));
  await expect(request("/me")).rejects.toMatchObject({ status: 502, message: "Bad Gateway" });
});

test("no answer at all is status 0", async () => {
  vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("network")));
  await expect(request("/me")).rejects.toMatchObject({ status: 0 });
});

test("a 401 goes to the login and comes back here", async () => {
  const assign = vi.spyOn(location, "assign").mockImplementation(() => undefined);
  stubApi({ "/me": 401 });
  void request("/me");
  await vi.waitFor(() => expect(assign).toHaveBeenCalledWith(loginUrl()));
  expect(decodeURIComponent(loginUrl())).toContain("next=http://airflow.test/plugin/lupus/discover");
});

test("a POST carries the header that proves its origin", async () => {
  const api = stubApi({ "/series/batch": { items: [] } });
  await post("/series/batch", { ids: ["a"] });
  const init = api.mock.calls[0]?.[1];
  expect(init?.headers).toMatchObject({ "X-Lupus": "1", "Content-Type": "application/json" });
  expect(init?.body).toBe('{"ids":["a"]}');
});
