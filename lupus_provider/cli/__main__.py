"""`python -m lupus_provider.cli`: the command where no script is on the path."""

from __future__ import annotations

from lupus_provider.cli import main

if __name__ == "__main__":
    main()
