"""Which broker Celery is led to."""

from __future__ import annotations

import pytest

from ar_workers.brokers import broker_at
from ar_workers.domain.errors import InvalidSettings


def test_sentinels_are_told_to_kombu_in_its_own_words():
    found = broker_at("redis+sentinel://:p%40ss@a:1,b:2/main/3?sentinel_password=other")
    assert found["broker_url"] == "sentinel://:p%40ss@a:1/3;sentinel://:p%40ss@b:2/3"
    assert found["broker_transport"] == "ar_workers.transport:SentinelTransport"
    assert found["broker_transport_options"]["master_name"] == "main"
    assert found["broker_transport_options"]["sentinel_kwargs"]["password"] == "other"


def test_tls_holds_for_the_sentinels_and_for_the_primary():
    found = broker_at("rediss+sentinel://a/main")
    assert found["broker_use_ssl"] == {"ssl_cert_reqs": "required"}
    assert found["broker_transport_options"]["sentinel_kwargs"]["ssl"] is True


def test_the_stock_switch_names_kombus_own(monkeypatch):
    monkeypatch.setenv("AR_TRANSPORT", "stock")
    assert broker_at("redis://a")["broker_transport"] == "redis"
    assert broker_at("redis+sentinel://a/main")["broker_transport"] == "sentinel"


def test_a_cluster_is_no_broker():
    with pytest.raises(InvalidSettings, match="AR_BROKER_URL"):
        broker_at("redis+cluster://a,b")
