"""Each means that the pipeline gains by, and what the newer judgements cost it, switched off: for a process of the benchmark, before
it starts to work.
"""

from __future__ import annotations

import json
from contextlib import nullcontext

import redis
from celery import signature
from kombu.transport import virtual

from ar_workers import celery, transport
from ar_workers.domain import backpressure
from ar_workers.domain.guards import ALLOW
from ar_workers.ledger import clients
from ar_workers.ledger.redis import RedisLedger
from ar_workers.pipeline import execute, respond, visits


def _no_coalescing() -> None:
    backpressure.BACKLOG = 10**9


def _no_joint_isolations() -> None:
    backpressure.ISOLATIONS_AHEAD = 10**9


def _no_long_messages() -> None:
    backpressure.MOST_TOGETHER = dict.fromkeys(backpressure.MOST_TOGETHER, 10)


def _no_joint_plans() -> None:
    respond.HELD_BACK = -1.0


def _no_clearance() -> None:
    visits.CLEARANCE = -1.0


def _no_joint_writing() -> None:
    visits.HELD_BACK = -1.0


def _no_joint_scripts() -> None:
    claim, conclude = RedisLedger.claim, RedisLedger.conclude
    RedisLedger.claim = lambda self, row_ids, **options: [answer for each in row_ids for answer in claim(self, [each], **options)]
    RedisLedger.conclude = lambda self, visits: [rings for each in visits for rings in conclude(self, [each])]


def _no_kept_connection() -> None:
    clients.PerThread = redis.ConnectionPool


def _no_batches() -> None:
    transport.Channel._take_more = lambda self: None  # noqa: SLF001 - what is measured is inside


def _no_halves() -> None:
    transport.QoS.can_consume = virtual.QoS.can_consume


def _no_pipeline() -> None:
    transport.Channel.batch = lambda self: nullcontext()


def _no_kept_client() -> None:
    del transport.Channel.conn_or_acquire


def _no_direct_publishing() -> None:
    def publish(app, producer, canvas, family) -> None:
        signature(json.loads(json.dumps(canvas)), app=app).apply_async(producer=producer, **family)

    celery._publish = publish  # noqa: SLF001 - likewise


def _no_agreement() -> None:
    visits.contradiction = lambda claim: None


def _no_known() -> None:
    execute.rule_of_known = lambda action, policy, endpoints, known: ALLOW


SWITCHES = {
    "coalescing": _no_coalescing,
    "joint-isolations": _no_joint_isolations,
    "long-messages": _no_long_messages,
    "joint-plans": _no_joint_plans,
    "clearance": _no_clearance,
    "joint-writing": _no_joint_writing,
    "joint-scripts": _no_joint_scripts,
    "kept-connection": _no_kept_connection,
    "batches": _no_batches,
    "halves": _no_halves,
    "pipeline": _no_pipeline,
    "kept-client": _no_kept_client,
    "direct-publishing": _no_direct_publishing,
    "agreement": _no_agreement,
    "known": _no_known,
}


def throw(names: str) -> None:
    """Switch off what `names` (with commas) says."""
    for name in filter(None, names.split(",")):
        SWITCHES[name]()
