/** Serves the stand-in for Airflow, the built plugin and the made-up API. Usage: node dev/server.mjs [--watch] [--port 5180] */
import { spawn } from "node:child_process";
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { batch, catalog, detail } from "./fixture.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const at = process.argv.indexOf("--port");
const PORT = at < 0 ? 5180 : Number(process.argv[at + 1]);
const PAGE = '<!doctype html><html lang="en"><head><base href="/"><title>Lupus</title></head><body style="margin:0"><div id="root"></div><script type="module" src="/host/host.js"></script></body></html>';

const problem = (status, detail) => [status, { type: "ProblemError", title: "Problem", status, detail }];

async function api(request, url) {
  const path = url.pathname.replace("/lupus/api/v1", "");
  if (path === "/me") return [200, { user: { id: "admin", name: "admin" }, projects: ["flights"], version: "0.1.0", server_time: 1388534400 }];
  if (path === "/catalog/search") return [200, catalog(url.searchParams)];
  if (path === "/series/batch") {
    if (request.headers["x-lupus"] !== "1") return problem(403, "Header X-Lupus is missing.");
    let body = "";
    for await (const chunk of request) body += chunk;
    return [200, batch(JSON.parse(body))];
  }
  const found = detail(path.replace("/series/", ""));
  return found ? [200, found] : problem(404, "No such series.");
}

function file(response, path) {
  if (!existsSync(path)) return response.writeHead(404).end();
  response.writeHead(200, { "Content-Type": "text/javascript", "Cache-Control": "no-cache" });
  return createReadStream(path).pipe(response);
}

async function answer(request, response) {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname.startsWith("/host/")) return file(response, `${ROOT}dev/.host/${url.pathname.slice(6)}`);
  if (url.pathname.startsWith("/lupus/static/")) return file(response, `${ROOT}dist/${url.pathname.slice(14)}`);
  if (!url.pathname.startsWith("/lupus/api/")) return response.writeHead(200, { "Content-Type": "text/html" }).end(PAGE);
  const [status, body] = await api(request, url);
  return response.writeHead(status, { "Content-Type": "application/json", "Content-Encoding": "gzip" }).end(gzipSync(JSON.stringify(body), { level: 5 }));
}

if (process.argv.includes("--watch")) spawn("npx", ["vite", "build", "--watch"], { cwd: ROOT, stdio: "inherit" });
createServer((request, response) => void answer(request, response)).listen(PORT, "127.0.0.1", () => console.log(`http://127.0.0.1:${PORT}/plugin/lupus/discover`));
