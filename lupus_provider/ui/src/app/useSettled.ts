/**
 * Airflow mounts a plugin twice after it loads: once below Suspense, and once directly at its next render.
 *
 * The second mount would take focus and state from whoever types already. So the first mount only makes the host render again (a
 * navigation to the same address), and the page appears in the second. If no second mount comes, the page appears all the same.
 */
import { useEffect, useState } from "react";
import { useLocation, useNavigate } from "react-router-dom";

const GIVE_UP_MS = 100;
let isSettled = false;

export function useSettled(): boolean {
  const [isReady, setIsReady] = useState(isSettled);
  const navigate = useNavigate();
  const location = useLocation();
  useEffect(() => {
    if (isReady) return undefined;
    isSettled = true;
    const state = { ...(location.state as object | null), lupus: 1 };
    void navigate(location, { replace: true, state, preventScrollReset: true });
    const timer = setTimeout(() => setIsReady(true), GIVE_UP_MS);
    return () => clearTimeout(timer);
    // Only the first mount counts; the navigation that it makes must not start it again.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  return isReady;
}
