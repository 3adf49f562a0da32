"""deliver: outbox → people. Sends what is due in a channel, one message at a time, each under a lease of its own.

A message is claimed before it is sent and marked after it, so a crash between the two repeats that one message and loses none.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lupus_provider.alert.senders import open_sender
from lupus_provider.errors import DeliveryError, DeliveryRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lupus_provider.alert.channels import Channel
    from lupus_provider.alert.senders.base import Sender
    from lupus_provider.stores.ledger.base import LedgerStore, Message

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=45)
"""Longer than one delivery may take."""
PATIENCE = LEASE + timedelta(seconds=5)
"""How long a step waits for messages of its own that a sender, perhaps a dead one, has claimed."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)
ATTEMPTS = 12
BATCH = 200
_POLL_SECONDS = 0.2


def back_off(attempts: int) -> timedelta:
    """Return how long to wait after that many failed deliveries.

    Examples
    --------
    >>> [int(back_off(n).total_seconds()) for n in (1, 2, 3, 11)]
    [5, 10, 20, 3600]
    """
    return min(FIRST_WAIT * 2 ** (min(attempts, 20) - 1), LONGEST_WAIT)


def deliver(
    ledger: LedgerStore,
    channel: Channel,
    now: datetime,
    is_mine: Callable[[Message], bool] = lambda _: True,
    patience: timedelta = PATIENCE,
) -> tuple[int, int]:
    """Send what is due in a channel; return how many messages were sent and how many were given up.

    Parameters
    ----------
    is_mine
        Messages that must have left the outbox when this returns: others' are sent, too, but not waited for.
    patience
        How long to wait for those that another sender has claimed.

    Raises
    ------
    DeliveryError
        If messages of mine stay in the outbox.
    DeliveryRefusedError
        If the receiver will never take one of them.
    """
    sender, begun = open_sender(channel), time.monotonic()
    sent, failures = 0, dict[str, DeliveryError | DeliveryRefusedError]()
    while True:
        moment = now + timedelta(seconds=time.monotonic() - begun)
        claimed = ledger.claim(channel.name, moment, LEASE, 1) if sent + len(failures) < BATCH else []
        for message in claimed:
            error = _send(ledger, sender, message, moment)
            if error is None:
                sent += 1
            elif is_mine(message):
                failures[message.message_id] = error
        if claimed:
            continue
        waiting = [m for m in ledger.messages("pending") if m.channel == channel.name and is_mine(m)]
        if not waiting or failures or moment - now > patience:
            break
        time.sleep(_POLL_SECONDS)
    if waiting:
        known = [failures[m.message_id] for m in waiting if m.message_id in failures]
        raise known[0] if known else DeliveryError(f"channel {channel.name!r}", f"{len(waiting)} messages wait")
    for error in failures.values():
        if isinstance(error, DeliveryRefusedError):
            raise error
    return sent, len(failures)


def _send(
    ledger: LedgerStore, sender: Sender, message: Message, now: datetime
) -> DeliveryError | DeliveryRefusedError | None:
    """Send one claimed message and note what came of it."""
    try:
        sender.send(message.message_id, message.body)
    except (DeliveryError, DeliveryRefusedError) as err:
        is_final = isinstance(err, DeliveryRefusedError) or message.attempts >= ATTEMPTS
        ledger.failed(message.message_id, str(err), None if is_final else now + back_off(message.attempts))
        log.warning("message %s, attempt %d: %s", message.message_id, message.attempts, err)
        return err
    ledger.sent(message.message_id, now)
    return None
