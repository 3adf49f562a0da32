/** The route table: what the part of the path after /plugin/lupus shows. A page that is planned has its place but no component. */
import { Skeleton } from "@chakra-ui/react";
import { lazy, type ReactNode, Suspense } from "react";

import { DiscoverPage } from "../features/discover/DiscoverPage.tsx";
import { NotFoundPage } from "./NotFoundPage.tsx";

const SeriesPage = lazy(async () => ({ default: (await import("../features/series/SeriesPage.tsx")).SeriesPage }));

type Route = {
  readonly path: string;
  readonly title: string;
  /** Shown as a tab. */
  readonly isTab?: boolean;
  readonly render?: (rest: string) => ReactNode;
};

export const ROUTES: readonly Route[] = [
  { path: "", title: "Top", render: () => <DiscoverPage /> },
  { path: "discover", title: "Discover", isTab: true, render: () => <DiscoverPage /> },
  { path: "series", title: "Metric chart", render: (rest) => <Suspense fallback={<Skeleton h="490px" />}><SeriesPage rest={rest} /></Suspense> },
  { path: "anomalies", title: "Anomalies" },
  { path: "deadlines", title: "Deadlines" },
  { path: "dashboards", title: "Dashboards" },
  { path: "detectors", title: "Detectors" },
];

/** `/plugin/lupus/series/abc` → `["series", "abc"]` */
export function splitPath(pathname: string): readonly [string, string] {
  const inside = /\/plugin\/lupus\/?(.*?)\/*$/.exec(pathname)?.[1] ?? "";
  const slash = inside.indexOf("/");
  return slash < 0 ? [inside, ""] : [inside.slice(0, slash), inside.slice(slash + 1)];
}

export function pageFor(pathname: string): ReactNode {
  const [path, rest] = splitPath(pathname);
  const route = ROUTES.find((one) => one.path === path);
  const isWhole = path === "series" ? rest !== "" : rest === "";
  return route?.render && isWhole ? route.render(rest) : <NotFoundPage title={route?.title} />;
}
