"""The shelf of ledgers: one file an implementation."""

from __future__ import annotations
