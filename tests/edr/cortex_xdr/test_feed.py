"""The feed filters by one time and is sorted by another: the only one that the vendor documents."""

from __future__ import annotations

import time
from datetime import timedelta

from ar_workers.edr.cortex_xdr.feed import feed


def alert_ids(rig, page):
    """What one round reads, page by page."""
    found, cursor, is_more = [], "", True
    while is_more:
        answer = feed(rig.adapter._api._config, overlap=timedelta(minutes=10), page=page).page(cursor)
        found += [each.id for each in answer.records]
        cursor, is_more = answer.cursor, answer.is_more
    return found


def test_alerts_that_came_in_another_order_than_they_were_created_are_all_read_once(rig):
    now = int(time.time() * 1000)
    for number in range(7):
        row = {"alert_id": str(number), "severity": "high", "detection_timestamp": now - number, "local_insert_ts": now - 60_000 + number}
        rig.simulation.world.tenant("acme").add_alert(row)
    assert alert_ids(rig, page=2) == ["6", "5", "4", "3", "2", "1", "0"]
    asked = rig.simulation.journal.requests(path="/public_api/v2/alerts/get_alerts_multi_events")
    assert {each["body"]["request_data"]["sort"]["field"] for each in asked} == {"creation_time"}
