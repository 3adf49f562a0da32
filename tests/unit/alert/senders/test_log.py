from __future__ import annotations

import logging

from lupus_provider.alert.senders.log import LogSender


def test_a_message_is_one_warning_with_its_id(caplog):
    with caplog.at_level(logging.WARNING, "lupus.alerts"):
        LogSender("log").send("m1", {"title": "100 % of it", "text": "line %s"})
    (record,) = caplog.records
    assert (record.levelname, record.getMessage()) == ("WARNING", "100 % of it\nline %s\n(message m1)")
