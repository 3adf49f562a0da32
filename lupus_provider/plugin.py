"""Registers the page and its server with Airflow.

Every Airflow process imports this module, so only the api-server builds the server (2 s, 34 MB): the others pay for a class body.
"""

from __future__ import annotations

import sys
from typing import Any

from airflow.sdk.plugins_manager import AirflowPlugin

from lupus_provider import __version__

URL_PREFIX = "/lupus"
ICON, ICON_DARK = "lupus/static/icon.svg", "lupus/static/icon-dark.svg"


def is_api_server(argv: list[str]) -> bool:
    """Say whether this process is Airflow's api-server; also true for its workers and under `airflow standalone`."""
    return len(argv) > 1 and argv[1] == "api-server"


def fastapi_apps() -> list[dict[str, Any]]:
    """Return Lupus' server for the api-server, nothing for every other process."""
    if not is_api_server(sys.argv):
        return []
    from lupus_provider.server.app import create_app

    return [{"app": create_app(), "url_prefix": URL_PREFIX, "name": "Lupus"}]


class LupusPlugin(AirflowPlugin):
    """The page *Lupus* in Airflow's navigation, and the API that it asks."""

    name = "lupus"
    fastapi_apps = fastapi_apps()
    react_apps = [
        {
            # Also the global variable that the bundle sets; relative, so that it works under any `[api] base_url`.
            "name": "Lupus",
            "bundle_url": f"{URL_PREFIX.lstrip('/')}/static/main.js?v={__version__}",
            "destination": "nav",
            "url_route": "lupus",
            "nav_top_level": True,
            "icon": ICON,
            "icon_dark_mode": ICON_DARK,
        }
    ]
