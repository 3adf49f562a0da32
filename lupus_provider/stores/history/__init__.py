"""The shelf of histories: one file an implementation."""

from __future__ import annotations
