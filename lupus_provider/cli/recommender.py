"""The demo's second project: sixty days of a recommender whose model update goes wrong, and the clicks that followed.

The story is the classic one: an architecture change shifts the predictions, all rows arrive, nothing fails, and nobody looks.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from lupus_provider.cli.home import digest
from lupus_provider.cli.prepared import PreparedFolder

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = "1"
"""Changes when the tables should look different."""
SEED = 20131015
ZONE = "Asia/Tokyo"
START_DATE, END_DATE = date(2013, 9, 2), date(2013, 10, 31)
"""First and last day, of ZONE."""
CANARY_DATE, RELEASE_DATE = date(2013, 10, 10), date(2013, 10, 15)
"""First days on which version v2 serves a tenth of the requests, and all of them."""
_TABLES = ("impressions", "clicks")


def prepare_recommender(data: Path) -> str:
    """Write `impressions.parquet` and `clicks.parquet` below `data/recommender` unless they are there.

    Returns
    -------
    str
        A digest of what makes the data, which names this state of it.
    """
    # NumPy and the simulation are needed only here: `lupus --help` shall not wait for them.
    from lupus_provider.cli.recommender_log import make_log

    wanted = digest("recommender", FORMAT, str(SEED))
    folder = PreparedFolder(data / "recommender", _TABLES)
    if not folder.is_current(wanted):
        folder.write(make_log(SEED), wanted)
    return wanted
