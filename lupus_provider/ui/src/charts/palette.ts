/**
 * Colours of everything that is drawn rather than styled, as CSS variables on the root of the page.
 *
 * A canvas takes no theme tokens; it reads these variables, and reads them again when Airflow changes its theme.
 */
const faint = (colour: string, percent: number) => `color-mix(in srgb, {colors.${colour}} ${percent}%, transparent)`;
const both = (light: string, dark: string) => ({ base: `{colors.${light}}`, _dark: `{colors.${dark}}` });

export const paletteCss = {
  "--lupus-line": both("blue.600", "blue.400"),
  "--lupus-band": { base: faint("blue.500", 18), _dark: faint("blue.400", 26) },
  "--lupus-expected": both("blue.400", "blue.300"),
  "--lupus-mark": both("red.600", "red.400"),
  "--lupus-window": both("orange.300", "orange.700"),
  "--lupus-gap": both("gray.300", "gray.700"),
  "--lupus-track": both("gray.100", "gray.800"),
  "--lupus-grid": both("gray.200", "gray.800"),
  "--lupus-text": both("gray.600", "gray.400"),
  "--lupus-cursor": both("gray.500", "gray.500"),
  "--lupus-paper": { base: "{colors.bg}", _dark: "{colors.bg}" },
} as const;

export type Palette = Readonly<Record<"line" | "band" | "expected" | "mark" | "window" | "gap" | "track" | "grid" | "text" | "cursor" | "paper", string>>;

const NAMES = ["line", "band", "expected", "mark", "window", "gap", "track", "grid", "text", "cursor", "paper"] as const;

/** The colours in force inside `element`, resolved to something that a canvas takes. */
export function readPalette(element: HTMLElement): Palette {
  const probe = document.createElement("span");
  element.append(probe);
  const style = getComputedStyle(probe);
  const colours = NAMES.map((name) => {
    probe.style.color = `var(--lupus-${name})`;
    return [name, style.color];
  });
  probe.remove();
  return Object.fromEntries(colours) as Palette;
}
