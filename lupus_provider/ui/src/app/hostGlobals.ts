/**
 * A Vite plugin that turns imports of React, React Router and Chakra into reads of `globalThis`.
 *
 * Airflow hands these libraries to plugins as globals; a second copy of React would break hooks, a second Chakra would double the page.
 */
import type { Plugin } from "vite";

import { HOST } from "./hostNames.ts";

const PREFIX = "\0host:";

export function moduleOf(source: string): string | undefined {
  const host = HOST[source];
  if (!host) return undefined;
  const exports = host.names.map((name) => `export const ${name} = /*#__PURE__*/ (() => h.${name})();`);
  return [`const h = globalThis.${host.global};`, "export default h;", ...exports].join("\n");
}

export function hostGlobals(): Plugin {
  return {
    name: "lupus-host-globals",
    enforce: "pre",
    resolveId: (source) => (source in HOST ? PREFIX + source : null),
    load: (id) => (id.startsWith(PREFIX) ? moduleOf(id.slice(PREFIX.length)) : null),
  };
}
