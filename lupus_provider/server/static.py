"""The page's files: hashed chunks are kept by browsers for ever, the entry is asked for anew."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

HASHED = re.compile(r"/c/[^/]+-[A-Za-z0-9_-]{8}\.(?:js|css|woff2)$")
"""Chunks: the page's build names them so, and nothing else lies in their folder."""


class Page(StaticFiles):
    """Static files with cache headers."""

    def file_response(self, full_path: Any, *args: Any, **kwargs: Any) -> Response:
        """Return a file with how long it may be kept."""
        response = super().file_response(full_path, *args, **kwargs)
        hashed = HASHED.search(str(full_path).replace("\\", "/")) is not None
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response
