"""The shelf of stages: one file an implementation."""

from __future__ import annotations
