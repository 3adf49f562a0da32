"""A local Spark for the competitors that use one, all with the same settings, and what it counted."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

SETTINGS = {
    "spark.driver.memory": "4g",
    "spark.driver.maxResultSize": "0",
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.port": "0",
    "spark.ui.enabled": "true",
    "spark.ui.showConsoleProgress": "false",
    "spark.ui.retainedStages": "100000",
    "spark.ui.retainedJobs": "100000",
    "spark.log.level": "ERROR",
}


class LocalSpark:
    """A session with `local[2]`, and the stages since the last reset."""

    def __init__(self, **settings: str) -> None:
        from pyspark.sql import SparkSession

        builder: Any = SparkSession.builder
        builder = builder.master("local[2]").appName("benchmark")
        for name, value in (SETTINGS | settings).items():
            builder = builder.config(name, value)
        self.session = builder.getOrCreate()
        self._first_stage = 0

    def _stages(self) -> list[dict[str, Any]]:
        context = self.session.sparkContext
        url = f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/stages?status=complete"
        with urllib.request.urlopen(url) as response:
            return json.load(response)

    def reset(self) -> None:
        """Forget the stages so far."""
        time.sleep(0.5)  # the list is filled behind the jobs' backs
        self._first_stage = 1 + max((stage["stageId"] for stage in self._stages()), default=-1)

    def counters(self) -> dict[str, int]:
        """Return the stages that ran and the rows that they read from files since the last reset."""
        time.sleep(0.5)
        stages = [stage for stage in self._stages() if stage["stageId"] >= self._first_stage]
        return {"stages": len(stages), "rows_read": sum(stage["inputRecords"] for stage in stages)}
