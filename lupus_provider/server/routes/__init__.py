"""Routes, one file a resource: permission, one query, one answer."""

from __future__ import annotations
