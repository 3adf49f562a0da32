"""The HTTP API of the page: routes over stores, each behind Airflow's login and the project's permission."""

from __future__ import annotations
