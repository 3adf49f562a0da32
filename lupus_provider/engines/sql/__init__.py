"""SQL of the metric plan: text only, shared by all engines that speak SQL. Nothing here opens a connection."""

from __future__ import annotations
