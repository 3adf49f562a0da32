/** A request that failed, in words. Not found and not allowed look the same, so that names do not leak. */
import { Link } from "react-router-dom";
import { chakra } from "@chakra-ui/react";

import { ApiError } from "../api/client.ts";
import { StateView } from "./StateView.tsx";

type Props = { readonly error: Error; readonly onRetry: () => void };

export function ErrorView({ error, onRetry }: Props) {
  const status = error instanceof ApiError ? error.status : 0;
  if (status === 403 || status === 404) {
    return (
      <StateView title="Not found, or no access to its project" isError>
        Ask the owner of the project for the right to read its DAGs, or go back to{" "}
        <chakra.span textDecoration="underline"><Link to="/plugin/lupus/discover">Discover</Link></chakra.span>.
      </StateView>
    );
  }
  return <StateView title="Lupus could not load this" isError onRetry={onRetry}>{error.message}</StateView>;
}
