"""The arrows of the way of a point, one function each: stores and plain values in, a small frozen result out.

Operator, command, server and notebook call the same function; none of them decides anything itself.
"""

from __future__ import annotations
