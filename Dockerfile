FROM python:3.12-slim
WORKDIR /srv/ar_workers
COPY requirements-run.lock pyproject.toml README.md celeryconfig.py ./
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements-run.lock
COPY examples examples
COPY ar_workers ar_workers
COPY examples examples
RUN pip install --no-cache-dir --no-deps --no-build-isolation . && useradd --system ar_workers \
    && install -d -m 700 -o ar_workers /etc/ar_workers/keys /var/lib/ar_workers /var/lib/ar_workers/audit
USER ar_workers
