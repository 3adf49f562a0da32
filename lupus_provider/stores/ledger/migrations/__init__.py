"""Migrations of the ledger's schema, run when a ledger is opened."""

from __future__ import annotations
