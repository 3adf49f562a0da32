"""The door to Great Expectations: its expectations by name, a context in memory, a batch of a frame.

Nothing is written, nothing is told to anybody, and a context that the process already uses stays the current one.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lupus_provider.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Library:
    """What is used of Great Expectations."""

    def __init__(self) -> None:
        import great_expectations as gx
        from great_expectations.expectations import expectation, registry

        self.suite: Callable[[str, Sequence[Any]], Any] = lambda name, items: gx.ExpectationSuite(
            name, expectations=list(items)
        )
        self.names: Callable[[], list[str]] = registry.list_registered_expectation_implementations
        self.expectation_class: Callable[[str], Any] = registry.get_expectation_impl
        self._maps = (
            expectation.ColumnMapExpectation, expectation.ColumnPairMapExpectation, expectation.MulticolumnMapExpectation,
        )  # fmt: skip

    def is_map(self, item: Any) -> bool:
        """Whether the expectation looks at values one by one."""
        return isinstance(item, self._maps)

    @contextmanager
    def ephemeral_context(self) -> Iterator[Any]:
        """Open a context in memory, and give the process its own one back afterwards."""
        import great_expectations as gx
        from great_expectations.data_context.data_context.context_factory import project_manager
        from great_expectations.data_context.types.base import (
            DataContextConfig,
            InMemoryStoreBackendDefaults,
            ProgressBarsConfig,
        )
        from great_expectations.exceptions.exceptions import DataContextRequiredError

        try:
            before = project_manager.get_current_project()
        except DataContextRequiredError:
            before = None
        try:
            config = DataContextConfig(
                store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
                progress_bars=ProgressBarsConfig(globally=False),
                analytics_enabled=False,
            )
            yield gx.get_context(mode="ephemeral", project_config=config)
        finally:
            project_manager.set_project(before)


def open_library() -> Library:
    """Import Great Expectations.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # its imports; no news to our users
            return Library()
    except ImportError as err:
        raise MissingExtraError("ExpectationProcessor", "expectations") from err


def batch_of(context: Any, frame: Any) -> Any:
    """Return the pandas or Spark frame as a batch of the context."""
    sources = context.data_sources
    is_spark = type(frame).__module__.startswith("pyspark.")
    source = sources.add_or_update_spark("lupus", persist=False) if is_spark else sources.add_or_update_pandas("lupus")
    definition = source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
    return definition.get_batch(batch_parameters={"dataframe": frame})
