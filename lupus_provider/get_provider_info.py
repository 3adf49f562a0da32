"""What Airflow is told about this provider.

Read while Airflow's configuration is still being built, so it imports nothing.
"""

_STORE = (
    "Address: file:///srv/lupus/stage, s3://bucket/lupus/stage, sqlite:////srv/lupus/index.db, postgresql://db/lupus, "
    "https://elasticsearch:9200/lupus. "
    "Used as lupus_stage, lupus_history, lupus_index and lupus_ledger; one that is missing means the embedded store."
)
_STEPS = ("collect", "load_history", "load_index", "detect", "alert")


def _field(label, description, **schema):
    return {"label": label, "description": description, "schema": {"type": ["string", "null"], **schema}}


_FIELDS = {
    "aws_conn_id": _field("AWS connection", "For s3://: whose keys, region and endpoint. Empty: aws_default."),
    "hive_conn_id": _field("Hive connection", "For a history: the HiveServer2 that is told of it. Empty: none."),
    "hive_mode": _field(
        "Hive mode",
        "external: Hive reads the history itself. managed: it is given copies.",
        enum=["external", "managed", None],
    ),
    "database": _field("Hive database", "Where the tables are made. Empty: lupus."),
    "upload_url": _field(
        "Upload folder", "For the managed mode: what both Lupus and Hive reach, such as hdfs://namenode/lupus."
    ),
    "ca_certs": _field("CA certificates", "For https://: file that Elasticsearch's certificate is checked against."),
}


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
        "triggers": [{"integration-name": "Lupus", "python-modules": ["lupus_provider.triggers.hive"]}],
        "connection-types": [
            {
                "connection-type": "lupus",
                "hook-class-name": "lupus_provider.hooks.stores.LupusHook",
                "hook-name": "Lupus store",
                "conn-fields": _FIELDS,
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
