/** First and last day of the window as date fields: the strip's brush for the keyboard. */
import { HStack, Input, Text } from "@chakra-ui/react";

type Props = {
  readonly first: string | undefined;
  readonly last: string | undefined;
  readonly min: string;
  readonly max: string;
  readonly onChange: (first: string, last: string) => void;
};

export function WindowInputs({ first, last, min, max, onChange }: Props) {
  return (
    <HStack gap={1}>
      <Input type="date" size="2xs" w="8.5rem" aria-label="From day" min={min} max={max} value={first ?? ""} onChange={({ target }) => onChange(target.value, last && last >= target.value ? last : target.value)} />
      <Text as="span" color="fg.muted" fontSize="xs">–</Text>
      <Input type="date" size="2xs" w="8.5rem" aria-label="To day" min={min} max={max} value={last ?? ""} onChange={({ target }) => onChange(first && first <= target.value ? first : target.value, target.value)} />
    </HStack>
  );
}
