"""Triggers: what waits in Airflow's triggerer instead of in a worker's slot.

They carry ids only, and do what they do in a thread, because the triggerer's loop belongs to everybody.
"""

from __future__ import annotations
