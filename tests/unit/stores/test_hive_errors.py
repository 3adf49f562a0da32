from __future__ import annotations

from types import SimpleNamespace

import pytest
from pyhive.exc import OperationalError
from thrift.transport.TTransport import TTransportException

from lupus_provider.errors import CatalogAwayError, CatalogError
from lupus_provider.stores.history.hive_errors import DeadSessionError, from_exception, from_server, head, reason_of

STATEMENT = "ALTER TABLE `lupus`.`lupus_points` ADD IF NOT EXISTS PARTITION (`dt`='2024-01-01') LOCATION 's3a://lake/x'"
TERMINAL = [
    ("Error while compiling statement: FAILED: SemanticException [Error 10001]: Table not found lp1.nope", "42S02"),
    ("Error running query: [TABLE_OR_VIEW_NOT_FOUND] org.apache.spark.sql.AnalysisException: cannot be found", "42P01"),
    ("Permission denied: user=lupus, access=WRITE", None),
    ("HiveAccessControlException Permission denied: user [lupus] does not have [ALTER] privilege", "42000"),
    ("FAILED: ParseException line 1:5 cannot recognize input", "42000"),
]
TRANSIENT = [
    ("FAILED: Execution Error, return code 2 from org.apache.hadoop.hive.ql.exec.tez.TezTask", "08S01"),
    ("MetaException(message:Could not connect to meta store using any of the URIs)", "08S01"),
    ("FAILED: Error in acquiring locks: LockException", "42000"),
    ("SemanticException Unable to instantiate SessionHiveMetaStoreClient", "42000"),
    ("java.lang.OutOfMemoryError: Java heap space", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "state"), TERMINAL)
def test_what_somebody_must_mend_is_terminal(text, state):
    assert isinstance(from_server("hive.lupus", STATEMENT, text, state), CatalogError)


@pytest.mark.parametrize(("text", "state"), TRANSIENT)
def test_what_may_pass_is_transient(text, state):
    assert isinstance(from_server("hive.lupus", STATEMENT, text, state), CatalogAwayError)


@pytest.mark.parametrize("text", ["Invalid SessionHandle: SessionHandle [6c1]", "Invalid OperationHandle: x"])
def test_a_session_that_the_server_forgot_is_dead(text):
    answer = SimpleNamespace(status=SimpleNamespace(errorMessage=text, sqlState=None))
    assert isinstance(from_exception("hive.lupus", STATEMENT, OperationalError(answer)), DeadSessionError)


@pytest.mark.parametrize(
    ("err", "kind"),
    [
        (TTransportException(TTransportException.END_OF_FILE, "TSocket read 0 bytes"), DeadSessionError),
        (ConnectionResetError(104, "reset"), DeadSessionError),
        (BrokenPipeError(32, "pipe"), DeadSessionError),
        (TTransportException(TTransportException.TIMED_OUT, "read timeout"), CatalogAwayError),
        (TimeoutError(), CatalogAwayError),
        (TTransportException(TTransportException.NOT_OPEN, "Bad status: 3 (b'Error validating the login')"), CatalogError),
        (KeyError("ours"), type(None)),
    ],
)  # fmt: skip
def test_an_exception_of_the_driver_is_told_apart(err, kind):
    assert isinstance(from_exception("hive.lupus", STATEMENT, err), kind)


def test_a_message_has_the_first_words_of_the_statement_and_no_data():
    err = from_server("hive.lupus", STATEMENT, "SemanticException no", "42000")
    assert "'ALTER TABLE `lupus`.`lupus_points`'" in str(err)
    assert "LOCATION" not in str(err)
    assert head("INSERT OVERWRITE TABLE `a`.`b` PARTITION (x)") == "INSERT OVERWRITE TABLE `a`.`b`"


@pytest.mark.parametrize(
    "text",
    [
        "cannot open s3a://AKIA:hunter2@lake/points", "fs.s3a.secret.key=hunter2 is wrong", "password: hunter2",
        "javax.jdo.option.ConnectionPassword=hunter2, next",
    ],
)  # fmt: skip
def test_secrets_are_blotted_out(text):
    assert "hunter2" not in reason_of(text)


def test_a_reason_is_one_short_line():
    assert reason_of("org.apache.hive.service.cli.HiveSQLException: no\n\tat java") == "no"
    assert len(reason_of("x" * 5000)) < 400
    assert reason_of("") == "no reason given"
