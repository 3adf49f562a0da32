"""The shelf of indexes: one file an implementation."""

from __future__ import annotations
