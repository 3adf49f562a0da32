/** A page or a part of it that has nothing else to show: empty, failed, not found. */
import { Button, Heading, Stack, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";

type Props = {
  readonly title: string;
  readonly children?: ReactNode;
  readonly onRetry?: (() => void) | undefined;
  readonly isError?: boolean;
};

export function StateView({ title, children, onRetry, isError = false }: Props) {
  return (
    <Stack role={isError ? "alert" : "status"} align="center" textAlign="center" gap={3} py={16} px={4} borderWidth="1px" borderStyle="dashed" borderColor="border" rounded="lg">
      <Heading as="h2" size="md">{title}</Heading>
      {children ? <Text as="div" color="fg.muted" maxW="46rem">{children}</Text> : undefined}
      {onRetry ? <Button size="sm" variant="outline" onClick={onRetry}>Try again</Button> : undefined}
    </Stack>
  );
}
