/** Puts the scroll position back when a page is opened again: Airflow remounts it, and the browser restores only the window's. */
import { type RefObject, useEffect } from "react";
import { useLocation } from "react-router-dom";

const positions = new Map<string, number>();

function scrollerOf(element: HTMLElement): Element {
  for (let node = element.parentElement; node; node = node.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(node).overflowY) && node.scrollHeight > node.clientHeight) return node;
  }
  return document.documentElement;
}

export function useScrollMemory(ref: RefObject<HTMLElement | null>, isReady: boolean): void {
  const { pathname, search } = useLocation();
  const address = pathname + search;
  useEffect(() => {
    const element = ref.current;
    if (!element || !isReady) return undefined;
    const scroller = scrollerOf(element);
    const known = positions.get(address);
    if (known) scroller.scrollTop = known;
    const remember = () => positions.set(address, scroller.scrollTop);
    document.addEventListener("scroll", remember, { capture: true, passive: true });
    return () => document.removeEventListener("scroll", remember, { capture: true });
  }, [ref, address, isReady]);
}
