"""doctor: every check is told, whatever the others do."""

from __future__ import annotations

from lupus_provider.errors import StoreUrlError
from lupus_provider.steps.doctor import Check, Finding, examine


def raising(error):
    def run():
        raise error

    return run


def test_one_failure_hides_no_other_finding():
    refused = StoreUrlError("stage", "ftp://x", "Give an absolute folder.")
    checks = [
        Check("stage", raising(refused)),
        Check("history", lambda: "can be listed"),
        Check("index", raising(RuntimeError("first line\nsecret second line"))),
        Check("ledger", raising(PermissionError(13, "denied"))),
    ]
    assert list(examine(checks)) == [
        Finding("stage", "failed", str(refused)),
        Finding("history", "ok", "can be listed"),
        Finding("index", "failed", "RuntimeError: first line"),
        Finding("ledger", "failed", "[Errno 13] denied"),
    ]


def test_findings_come_one_by_one():
    seen = []
    findings = examine(Check(name, lambda name=name: seen.append(name) or name) for name in ("a", "b"))
    next(findings)
    assert seen == ["a"]
