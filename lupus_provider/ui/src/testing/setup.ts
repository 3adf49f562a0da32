/** What happy-dom lacks: a canvas and observers. Charts are mocked; how they draw is tested in a real browser. */
import { cleanup } from "@testing-library/react";
import { afterEach, vi } from "vitest";

class Observer {
  observe() {}
  unobserve() {}
  disconnect() {}
}

vi.stubGlobal("IntersectionObserver", Observer);
vi.stubGlobal("ResizeObserver", Observer);
vi.mock("../charts/LazyTimeChart.tsx", () => ({ LazyTimeChart: () => null }));

afterEach(cleanup);
