"""Runs competitors, one process each, and tells what they cost."""

from __future__ import annotations
