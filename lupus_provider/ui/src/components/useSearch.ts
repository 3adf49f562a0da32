/** The state of a page: read from the search parameters, changed by navigation. Typing replaces history, a choice adds to it. */
import { useCallback, useRef, useEffect } from "react";
import { useSearchParams } from "react-router-dom";

export type Change = (change: (params: URLSearchParams) => URLSearchParams, options?: { readonly replace?: boolean }) => void;

export function useSearch(): readonly [URLSearchParams, Change] {
  const [params, setParams] = useSearchParams();
  const latest = useRef({ params, setParams });
  useEffect(() => {
    latest.current.setParams = setParams;
  });
  // Only when the address has changed: a render in between still has the old parameters and must not undo a change under way.
  useEffect(() => {
    latest.current.params = params;
  }, [params]);
  // Of one identity for the life of the page, so that cards that take it as a prop need not render again.
  const change = useCallback<Change>((next, options) => {
    const changed = next(latest.current.params);
    latest.current.params = changed; // two changes before the next render both count
    latest.current.setParams(changed, { replace: options?.replace ?? false, preventScrollReset: true });
  }, []);
  return [params, change];
}
