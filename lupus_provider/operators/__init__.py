"""One operator a step, each as thin as it can be: connection → stores, run → span, then one function of `steps`.

Import nothing here: DAG files reach this package at parse time.
"""

from __future__ import annotations
