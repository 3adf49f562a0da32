"""Airflow connections and options → stores and alert channels, and nothing else.

Import nothing here: DAG files reach this package at parse time.
"""

from __future__ import annotations
