/** True once something has been pending for 150 ms: a skeleton that flashes is worse than none. */
import { useEffect, useState } from "react";

export function useLatePending(isPending: boolean): boolean {
  const [isLate, setIsLate] = useState(false);
  useEffect(() => {
    if (!isPending) return undefined;
    const timer = setTimeout(() => setIsLate(true), 150);
    return () => {
      clearTimeout(timer);
      setIsLate(false);
    };
  }, [isPending]);
  return isPending && isLate;
}
