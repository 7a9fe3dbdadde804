"""Celery's settings: constants, with one reason per value that is not the default."""

from __future__ import annotations

import os

from kombu.entity import Queue

from ar_workers.brokers import broker_at

#: The broker is the ledger's Redis unless AR_BROKER_URL says otherwise.
_broker = broker_at(os.environ.get("AR_BROKER_URL") or os.environ.get("AR_REDIS_URL") or "redis://127.0.0.1:6379/0")
broker_url = _broker["broker_url"]
broker_transport_options = _broker["broker_transport_options"]
broker_use_ssl = _broker["broker_use_ssl"]
# The ledger holds results; a backend costs a sixth of the throughput and loses chord callbacks.
task_ignore_result = True
# The ledger makes redelivery unnecessary, and a worker whose clock is wrong would double tasks by it.
task_acks_late = False
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
# Anything but JSON is code execution or a parser nobody needs.
accept_content = ["json"]
task_serializer = "json"
# A typo in a queue's name is an error, not a silent queue.
task_create_missing_queues = False
task_queues = [Queue(name) for name in ("respond", "isolation", "ioc", "notify", "housekeeping", "polling")]
task_default_queue = "housekeeping"
# A message that a busy worker has fetched waits behind its slow neighbours: fetch one per thread.
worker_prefetch_multiplier = 1
task_send_sent_event = False
timezone = "UTC"
imports = ("ar_workers.tasks",)

beat_schedule = {
    "sweep": {"task": "ar_workers.tasks.sweep", "schedule": 1.0, "options": {"queue": "housekeeping"}},
    "remind": {"task": "ar_workers.tasks.remind", "schedule": 2.0, "options": {"queue": "housekeeping"}},
    "declare-limits": {"task": "ar_workers.tasks.declare_limits", "schedule": 60.0, "options": {"queue": "housekeeping"}},
    "compact": {"task": "ar_workers.tasks.compact", "schedule": 10.0, "options": {"queue": "housekeeping"}},
    "mind-holds": {"task": "ar_workers.tasks.mind_holds", "schedule": 30.0, "options": {"queue": "housekeeping"}},
    "chain": {"task": "ar_workers.tasks.chain", "schedule": 5.0, "options": {"queue": "housekeeping"}},
    "look-at-ledger": {"task": "ar_workers.tasks.look_at_ledger", "schedule": 60.0, "options": {"queue": "housekeeping"}},
    "end-pauses": {"task": "ar_workers.tasks.end_pauses", "schedule": 30.0, "options": {"queue": "housekeeping"}},
    "poll": {
        "task": "ar_workers.tasks.poll",
        "schedule": float(os.environ.get("AR_POLL_SECONDS", "30")),
        "options": {"queue": "polling"},
    },
    "recheck-unsupported-os": {
        "task": "ar_workers.tasks.recheck_unsupported_os",
        "schedule": float(os.environ.get("AR_RECHECK_SECONDS", "300")),
        "options": {"queue": "polling"},
    },
}
# Every tick is deduplicated in the ledger, so nothing needs to be remembered on disk.
beat_scheduler = "celery.beat:Scheduler"
