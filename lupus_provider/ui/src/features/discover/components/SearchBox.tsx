/** Search over names of series. `/` puts the cursor here; typing waits 150 ms before it asks. */
import { Box, Input } from "@chakra-ui/react";
import { useEffect, useRef, useState } from "react";

import type { Change } from "../../../components/useSearch.ts";
import { withValue } from "../../../lib/urlState.ts";

type Props = { readonly params: URLSearchParams; readonly change: Change };

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export function SearchBox({ params, change }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const asked = params.get("q") ?? "";
  const [text, setText] = useState(asked);
  const [known, setKnown] = useState(asked);
  if (known !== asked) {
    setKnown(asked);
    if (text.trim() !== asked) setText(asked);
  }

  useEffect(() => {
    if (text.trim() === asked) return undefined;
    const timer = setTimeout(() => change((now) => withValue(now, "q", text.trim()), { replace: true }), 150);
    return () => clearTimeout(timer);
  }, [text, asked, change]);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      event.preventDefault();
      input.current?.focus();
    };
    document.addEventListener("keydown", focus);
    return () => document.removeEventListener("keydown", focus);
  }, []);

  return (
    <Box flex="1 1 16rem" maxW="32rem">
      <Input ref={input} type="search" size="sm" aria-label="Search series" placeholder="Search series    /" value={text} onChange={(event) => setText(event.target.value)} />
    </Box>
  );
}
