/** The wall before it is there, in its final size. */
import { Grid, Skeleton } from "@chakra-ui/react";

import { wallColumns } from "../../../components/SeriesWall.tsx";

export function WallSkeleton() {
  return (
    <Grid gap={3} templateColumns={wallColumns} aria-label="Loading series" role="status">
      {Array.from({ length: 9 }, (_, i) => <Skeleton key={i} h="254px" rounded="lg" />)}
    </Grid>
  );
}
