import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { moduleOf } from "./hostGlobals.ts";
import { HOST } from "./hostNames.ts";

const SRC = join(import.meta.dirname, "..");

test.each(Object.keys(HOST))("every name taken from %s is in the oldest supported version", async (source) => {
  const library = (await import(/* @vite-ignore */ source)) as Record<string, unknown>;
  expect(HOST[source]?.names.filter((name) => !(name in library))).toEqual([]);
});

test("Chakra's list holds no name that the page no longer uses", () => {
  const text = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".tsx")).map((name) => readFileSync(join(SRC, name), "utf8")).join("\n");
  expect(HOST["@chakra-ui/react"]?.names.filter((name) => !new RegExp(`<${name}\\b`).test(text))).toEqual([]);
});

test("the module of a host library reads one global and exports each name", () => {
  expect(moduleOf("react-dom")).toContain("const h = globalThis.ReactDOM;");
  expect(moduleOf("react-dom")).toMatch(/export const createPortal = .*h\.createPortal/);
  expect(moduleOf("uplot")).toBeUndefined();
});
