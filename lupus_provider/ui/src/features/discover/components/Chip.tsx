/** A button that is on or off. */
import { Button } from "@chakra-ui/react";
import type { ReactNode } from "react";

type Props = { readonly isOn: boolean; readonly onToggle: () => void; readonly children: ReactNode };

export function Chip({ isOn, onToggle, children }: Props) {
  return (
    <Button size="xs" rounded="full" variant={isOn ? "solid" : "outline"} colorPalette={isOn ? "blue" : "gray"} aria-pressed={isOn} onClick={onToggle}>
      {children}
    </Button>
  );
}
