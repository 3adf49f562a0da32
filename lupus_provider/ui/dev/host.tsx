/**
 * A page that does to the plugin what Airflow's does: the same globals, the same theme switch, the same remounts.
 *
 * Mounting follows ReactPlugin of Airflow 3.3: keyed by the path, below Suspense at first and directly after that.
 */
import * as ChakraUI from "@chakra-ui/react";
import * as React from "react";
import * as ReactDOM from "react-dom";
import { createRoot } from "react-dom/client";
import * as ReactJSXRuntime from "react/jsx-runtime";
import * as ReactRouterDOM from "react-router-dom";

Object.assign(globalThis, { React, ReactDOM, ReactJSXRuntime, ReactRouterDOM, ChakraUI });
const { Box, ChakraProvider, createSystem, defaultConfig } = ChakraUI;

const scale = (values: readonly string[]) =>
  Object.fromEntries([50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 950].map((step, i) => [step, { value: `oklch(${values[i]})` }]));

const system = createSystem(defaultConfig, {
  theme: {
    tokens: {
      colors: {
        black: { value: "oklch(0.23185 0.0323 266.44)" },
        gray: scale(["0.985 0.004 253", "0.955 0.006 253", "0.915 0.01 253", "0.85 0.016 253", "0.75 0.025 252", "0.63 0.042 252", "0.45 0.055 251", "0.35 0.045 251", "0.28 0.035 251", "0.18 0.03 251", "0.11 0.025 251"]),
        red: scale(["0.971 0.013 17.38", "0.936 0.032 17.717", "0.885 0.062 18.334", "0.808 0.114 19.571", "0.704 0.191 22.216", "0.637 0.237 25.331", "0.577 0.245 27.325", "0.505 0.213 27.518", "0.444 0.177 26.899", "0.396 0.141 25.723", "0.258 0.092 26.042"]),
        blue: scale(["0.97 0.014 254.604", "0.932 0.032 255.585", "0.882 0.059 254.128", "0.809 0.105 251.813", "0.707 0.165 254.624", "0.623 0.214 259.815", "0.546 0.245 262.881", "0.488 0.243 264.376", "0.424 0.199 265.638", "0.379 0.146 265.522", "0.282 0.091 267.935"]),
      },
    },
  },
});

const dark = matchMedia("(prefers-color-scheme: dark)");
const setTheme = () => (document.documentElement.className = dark.matches ? "dark" : "light");
dark.addEventListener("change", setTheme);
setTheme();

type Plugin = React.ComponentType<Record<string, never>>;
const loaded = () => (globalThis as { Lupus?: Plugin }).Lupus;
const load = async (): Promise<{ default: Plugin }> => {
  await import(/* @vite-ignore */ new URL("lupus/static/main.js?v=dev", document.baseURI).href);
  return { default: loaded() ?? (() => <p>main.js set no global Lupus</p>) };
};

function ReactPlugin() {
  const Direct = loaded();
  const [Lazy] = React.useState(() => React.lazy(load));
  return Direct ? <Direct /> : <React.Suspense fallback={<p>…</p>}><Lazy /></React.Suspense>;
}

function Page() {
  const { pathname } = ReactRouterDOM.useLocation();
  return <ReactPlugin key={pathname} />;
}

function Host() {
  return (
    <Box display="flex" h="100vh">
      <Box w="64px" bg="bg.muted" flexShrink={0} />
      <Box flex="1" minW={0} p={2} overflowY="auto" display="flex" flexDirection="column">
        <Box flexGrow={1} h="100%" m={-2} minH={0}><Page /></Box>
      </Box>
    </Box>
  );
}

const router = ReactRouterDOM.createBrowserRouter([{ path: "*", element: <Host /> }], { basename: new URL(document.baseURI).pathname });
createRoot(document.getElementById("root") as HTMLElement).render(
  <ChakraProvider value={system}><ReactRouterDOM.RouterProvider router={router} /></ChakraProvider>,
);
