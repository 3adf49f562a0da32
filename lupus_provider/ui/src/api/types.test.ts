import { readFileSync } from "node:fs";
import { join } from "node:path";
import openapiTS, { astToString } from "openapi-typescript";
import { expect, test } from "vitest";

test("the committed types are those of openapi.json (npm run types)", async () => {
  const schema = JSON.parse(readFileSync(join(import.meta.dirname, "../../openapi.json"), "utf8")) as Parameters<typeof openapiTS>[0];
  const committed = readFileSync(join(import.meta.dirname, "types.gen.ts"), "utf8");
  expect(committed).toContain(astToString(await openapiTS(schema)));
});
