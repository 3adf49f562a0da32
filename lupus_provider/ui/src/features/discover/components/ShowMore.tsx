/** Loads the next page: by itself when it scrolls into view, and by the button for keyboards. */
import { Button, Flex } from "@chakra-ui/react";
import { useEffect, useRef } from "react";

type Props = { readonly count: number; readonly isLoading: boolean; readonly onMore: () => void };

export function ShowMore({ count, isLoading, onMore }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const more = useRef(onMore);
  useEffect(() => {
    more.current = onMore;
  });
  useEffect(() => {
    if (!box.current || isLoading) return undefined;
    const observer = new IntersectionObserver((entries) => entries.at(-1)?.isIntersecting && more.current(), { rootMargin: "200px 0px" });
    observer.observe(box.current);
    return () => observer.disconnect();
  }, [isLoading]);
  return (
    <Flex ref={box} justify="center" py={4}>
      <Button size="sm" variant="outline" loading={isLoading} onClick={onMore}>Show {count} more</Button>
    </Flex>
  );
}
