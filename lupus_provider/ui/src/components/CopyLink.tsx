/** Copies the address of what is shown, with absolute times, so that it shows the same tomorrow. */
import { Button } from "@chakra-ui/react";
import { useState } from "react";

type Props = { readonly search: () => URLSearchParams };

/** The clipboard of browsers is there only on https and localhost; an Airflow on plain http needs the old way. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  return undefined;
}

export function CopyLink({ search }: Props) {
  const [isCopied, setIsCopied] = useState(false);
  const copy = async () => {
    await copyText(`${location.origin}${location.pathname}?${search()}`);
    setIsCopied(true);
    setTimeout(() => setIsCopied(false), 2000);
  };
  return (
    <Button size="sm" variant="outline" onClick={() => void copy()}>
      <span aria-live="polite">{isCopied ? "✓ Copied" : "Copy link"}</span>
    </Button>
  );
}
