"""Registers the Lupus plugin where the package is mounted into Airflow and not installed.

An installed package registers itself by its entry point; Airflow skips the second plugin of the same name.
"""

from __future__ import annotations

from lupus_provider.plugin import LupusPlugin

__all__ = ["LupusPlugin"]
