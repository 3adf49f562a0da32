/** Copies the address of what is shown, with absolute times, so that it shows the same tomorrow. */
import { Button } from "@chakra-ui/react";
import { useState } from "react";

type Props = { readonly search: () => URLSearchParams };

export function CopyLink({ search }: Props) {
  const [isCopied, setIsCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(`${location.origin}${location.pathname}?${search()}`);
    setIsCopied(true);
    setTimeout(() => setIsCopied(false), 2000);
  };
  return (
    <Button size="sm" variant="outline" onClick={() => void copy()}>
      <span aria-live="polite">{isCopied ? "✓ Copied" : "Copy link"}</span>
    </Button>
  );
}
