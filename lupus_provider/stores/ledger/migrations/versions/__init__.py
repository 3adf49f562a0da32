"""One file a migration, numbered; what is released is never changed."""

from __future__ import annotations
