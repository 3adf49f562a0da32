"""What Airflow is told about this provider.

Read while Airflow's configuration is still being built, so it imports nothing.
"""

_STORE = (
    "Address: file:///srv/lupus/stage, sqlite:////srv/lupus/index.db, postgresql+psycopg2://db/lupus. "
    "Used as lupus_stage, lupus_history, lupus_index and lupus_ledger; one that is missing means the embedded store."
)
_STEPS = ("collect", "load_history", "load_index", "detect", "alert")


def _option(description, example):
    return {
        "description": description,
        "version_added": "0.1.0",
        "type": "string",
        "example": example,
        "default": "",
    }


def get_provider_info():
    """Return the provider's metadata in Airflow's schema."""
    return {
        "package-name": "airflow-provider-lupus",
        "name": "Lupus",
        "description": "MLOps monitoring inside Airflow: metrics, anomalies and missed deadlines of ML products.",
        "integrations": [{"integration-name": "Lupus", "external-doc-url": "", "tags": ["service"]}],
        "operators": [
            {
                "integration-name": "Lupus",
                "python-modules": [f"lupus_provider.operators.{step}" for step in _STEPS],
            }
        ],
        "hooks": [{"integration-name": "Lupus", "python-modules": ["lupus_provider.hooks.stores"]}],
        "connection-types": [
            {
                "connection-type": "lupus",
                "hook-class-name": "lupus_provider.hooks.stores.LupusHook",
                "hook-name": "Lupus store",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "port", "extra"],
                    "relabeling": {"host": "Address of the store"},
                    "placeholders": {"host": "file:///srv/lupus/stage", "description": _STORE},
                },
            }
        ],
        "config": {
            "lupus": {
                "description": "Where Lupus finds its projects, their data, and the embedded stores.",
                "options": {
                    "projects_folder": _option(
                        "Folder of project files. Empty: include/projects in Airflow's home.",
                        "/opt/airflow/include/projects",
                    ),
                    "data_folder": _option(
                        "Folder that relative source paths of project files start from. Empty: data in the home below.",
                        "/data",
                    ),
                    "home": _option("Folder of the embedded stores. Empty: lupus in Airflow's home.", "/var/lib/lupus"),
                },
            }
        },
    }
