"""What a project file says: models, reading with places, lint, plan and JSON Schema."""

from __future__ import annotations

from lupus_provider.config.folder import project_files
from lupus_provider.config.loader import dump_project, load_project, load_projects
from lupus_provider.config.models import Alerts, MetricSet, Project, Source, json_schema

__all__ = [
    "Alerts", "MetricSet", "Project", "Source",
    "dump_project", "json_schema", "load_project", "load_projects", "project_files",
]  # fmt: skip
