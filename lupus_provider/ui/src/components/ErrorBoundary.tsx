/** Stops an error of one page from taking Airflow's page down; a chunk that is gone means that Lupus was upgraded. */
import { Component, type ReactNode } from "react";

import { StateView } from "./StateView.tsx";

type Props = { readonly children: ReactNode };
type State = { readonly error: Error | undefined };

export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: Error): State {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    const isOldChunk = /dynamically imported module|module script/i.test(error.message);
    return (
      <StateView title={isOldChunk ? "Lupus was upgraded" : "This page broke"} isError onRetry={() => location.reload()}>
        {isOldChunk ? "Reload the page to get the new version." : error.message}
      </StateView>
    );
  }
}
