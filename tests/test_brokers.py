"""Which broker Celery is led to."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ar_workers.brokers import broker_at
from ar_workers.domain.errors import InvalidSettings


def test_sentinels_are_told_to_kombu_in_its_own_words():
    found = broker_at("redis+sentinel://:p%40ss@a:1,b:2/main/3?sentinel_password=other")
    assert found["broker_url"] == "sentinel://:p%40ss@a:1/3;sentinel://:p%40ss@b:2/3"
    assert found["broker_transport_options"]["master_name"] == "main"
    assert found["broker_transport_options"]["sentinel_kwargs"]["password"] == "other"


def test_tls_holds_for_the_sentinels_and_for_the_primary():
    found = broker_at("rediss+sentinel://a/main")
    assert found["broker_use_ssl"] == {"ssl_cert_reqs": "required"}
    assert found["broker_transport_options"]["sentinel_kwargs"]["ssl"] is True


LOOK = "from ar_workers.celery import app; t = app.connection().transport; print(type(t).__module__, app.connection().as_uri())"


@pytest.mark.parametrize(
    ("switch", "url", "module", "scheme"),
    [
        ({}, "redis://127.0.0.1:1/0", "ar_workers.transport", "redis://"),
        ({}, "redis+sentinel://127.0.0.1:1/main", "ar_workers.transport", "sentinel://"),
        ({"AR_TRANSPORT": "stock"}, "redis://127.0.0.1:1/0", "kombu.transport.redis", "redis://"),
        ({"AR_TRANSPORT": "stock"}, "redis+sentinel://127.0.0.1:1/main", "kombu.transport.redis", "sentinel://"),
    ],
)
def test_the_transport_is_ours_unless_switched_and_keeps_a_name_that_flower_knows(switch, url, module, scheme):
    environment = {**os.environ, "AR_REDIS_URL": url, **switch}
    said = subprocess.run([sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, check=True).stdout.split()
    assert said[0] == module
    assert said[1].startswith(scheme)


def test_a_cluster_is_no_broker():
    with pytest.raises(InvalidSettings, match="AR_BROKER_URL"):
        broker_at("redis+cluster://a,b")
