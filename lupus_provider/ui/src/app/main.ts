/**
 * The entry that Airflow imports; it sets `globalThis.Lupus` to the component of the page.
 *
 * No static imports: chunks must never import this file, because Airflow loads it with a query string and the browser would then run
 * it twice. The chunks that the current address needs start loading together.
 */
const NEEDED = ["React", "ReactDOM", "ReactJSXRuntime", "ReactRouterDOM", "ChakraUI"];
const missing = NEEDED.filter((name) => !(name in globalThis));

if (missing.length > 0) {
  Reflect.set(globalThis, "Lupus", () => `Lupus needs Airflow 3.2 or newer: this page does not offer ${missing.join(", ")}.`);
} else {
  void import("../charts/TimeChart.tsx");
  if (location.pathname.includes("/plugin/lupus/series/")) void import("../features/series/SeriesPage.tsx");
  const { Lupus } = await import("./Lupus.tsx");
  Reflect.set(globalThis, "Lupus", Lupus);
}

export {};
