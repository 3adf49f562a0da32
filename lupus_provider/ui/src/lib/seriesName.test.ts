import { expect, test } from "vitest";

import { summary } from "../testing/builders.ts";
import { distinguishingKeys, nameParts, seriesIdOf, seriesPath } from "./seriesName.ts";

test("a name has no parts for what the series does not have", () => {
  const whole = summary({ column_name: "", metric: "row_count", group_key: [] });
  expect(nameParts(whole).map(({ text }) => text)).toEqual(["flights", "departures", "row_count"]);
});

test("only what differs tells series apart", () => {
  const list = [summary(), summary({ group_key: [{ column: "origin", value: "JFK" }] })];
  expect([...distinguishingKeys(list)]).toEqual(["group.origin"]);
});

test("a part that some series lack tells them apart too", () => {
  expect([...distinguishingKeys([summary(), summary({ group_key: [] })])]).toEqual(["group.origin"]);
  expect(distinguishingKeys([summary()]).size).toBe(0);
});

test("the id comes back out of the path, with and without a slug", () => {
  const path = seriesPath(summary());
  expect(path).toBe("/plugin/lupus/series/aaaaaaaaaaaaa-dep-delay-null-ratio-origin-ewr");
  expect(seriesIdOf(path.split("/series/")[1] ?? "")).toBe("aaaaaaaaaaaaa");
  expect(seriesIdOf("aaaaaaaaaaaaa/some-slug")).toBe("aaaaaaaaaaaaa");
  expect(seriesIdOf("aaaaaaaaaaaaa")).toBe("aaaaaaaaaaaaa");
});
