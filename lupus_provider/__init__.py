"""Lupus: MLOps monitoring that lives inside Apache Airflow.

Imports nothing: Airflow loads this package while its own configuration is still being built.
"""

from __future__ import annotations

__version__ = "0.1.0"
