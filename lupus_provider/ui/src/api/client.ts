/** Requests to the Lupus API of the Airflow that serves this page; the browser sends Airflow's cookie along. */
import type { Problem } from "./types.ts";

/** An answer that is not 2xx, or no answer at all (`status` 0). */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.name = "ApiError";
    this.status = status;
  }
}

/** Path that Airflow is served under, with a slash at both ends. */
export function basePath(): string {
  const href = document.querySelector("base")?.getAttribute("href") ?? "/";
  const path = new URL(href, location.origin).pathname;
  return path.endsWith("/") ? path : `${path}/`;
}

export function apiUrl(path: string): string {
  return `${basePath()}lupus/api/v1${path}`;
}

export function loginUrl(): string {
  return `${basePath()}api/v2/auth/login?next=${encodeURIComponent(location.href)}`;
}

async function problemOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    return new ApiError(response.status, (JSON.parse(text) as Problem).detail);
  } catch {
    return new ApiError(response.status, response.statusText || `HTTP ${response.status}`);
  }
}

/** Fetch JSON. A 401 leaves the page for the login and never settles; every other failure is an `ApiError`. */
export async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(apiUrl(path), { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "Airflow did not answer. Check the connection and try again.");
  }
  if (response.status === 401) {
    location.assign(loginUrl());
    return new Promise<T>(() => undefined);
  }
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as T;
}

/** POST JSON with the header that proves that a script of this site asks. */
export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const headers = { "Content-Type": "application/json", "X-Lupus": "1" };
  return request<T>(path, { method: "POST", headers, body: JSON.stringify(body), signal: signal ?? null });
}
