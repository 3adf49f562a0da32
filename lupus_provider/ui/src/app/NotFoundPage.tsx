/** A path that Lupus does not know, or whose page is not there yet. */
import { chakra, Heading, Stack } from "@chakra-ui/react";
import { Link } from "react-router-dom";

import { StateView } from "../components/StateView.tsx";

export function NotFoundPage({ title }: { readonly title: string | undefined }) {
  return (
    <Stack gap={3}>
      <Heading as="h1" size="xl">Lupus</Heading>
      <StateView title={title ? `${title} is not part of this version of Lupus` : "Lupus has no page at this address"} isError>
        Go to <chakra.span textDecoration="underline"><Link to="/plugin/lupus/discover">Discover</Link></chakra.span>, where all series are.
      </StateView>
    </Stack>
  );
}
