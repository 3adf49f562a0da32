"""Anomalies → episodes → messages → outbox: few messages, each told once."""

from __future__ import annotations
