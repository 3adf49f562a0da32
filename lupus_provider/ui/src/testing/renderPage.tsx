/** Renders a page at an address with an API that answers from a table, and tells what was asked. */
import { ChakraProvider, defaultSystem } from "@chakra-ui/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { MemoryRouter, useLocation } from "react-router-dom";
import { vi } from "vitest";

/** Start of a path below /lupus/api/v1 → its answer; a number is an error of that status, a promise is waited for. */
export type Answers = Readonly<Record<string, unknown>>;

function respond(body: unknown): Response {
  if (typeof body !== "number") return Response.json(body);
  return Response.json({ type: "ProblemError", title: "Problem", status: body, detail: `It failed with ${body}.` }, { status: body });
}

export function stubApi(answers: Answers) {
  const stub = vi.fn<typeof fetch>(async (input) => {
    const path = String(input).replace("/lupus/api/v1", "");
    const key = Object.keys(answers).find((start) => path.startsWith(start));
    if (!key) throw new TypeError(`no answer for ${path}`);
    return respond(await answers[key]);
  });
  vi.stubGlobal("fetch", stub);
  return stub;
}

function Address() {
  const { pathname, search } = useLocation();
  return <output data-testid="address">{pathname + search}</output>;
}

export function renderPage(page: ReactNode, address: string) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(
    <ChakraProvider value={defaultSystem}>
      <QueryClientProvider client={client}>
        <MemoryRouter initialEntries={[address]}>{page}<Address /></MemoryRouter>
      </QueryClientProvider>
    </ChakraProvider>,
  );
}
