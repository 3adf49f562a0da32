/** Which theme Airflow shows, as it says on `<html class>`; charts draw again when it changes. */
import { useSyncExternalStore } from "react";

function subscribe(onChange: () => void): () => void {
  const observer = new MutationObserver(onChange);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  return () => observer.disconnect();
}

export function useTheme(): string {
  return useSyncExternalStore(subscribe, () => document.documentElement.className);
}
