#!/bin/sh
# Runs a script with the first Python that Lupus supports; one clear sentence where there is none.
set -eu
for candidate in ${PYTHON:-} .venv/bin/python python3.11 python3.12 python3.13 python3 python; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; then
        exec "$candidate" "$@"
    fi
done
echo "error: Lupus needs Python 3.11, 3.12 or 3.13, and PATH has none. Install one, or name it: make PYTHON=/path/to/python3.11" >&2
exit 1
