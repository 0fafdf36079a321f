# Three images, each with only what its process needs: the bot's and the dashboard's have no AWS SDK and no kopf.
# Build: docker build --target operator -t finops-operator . ; the same with slackbot and web.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS wheel
WORKDIR /src
COPY locks/build.txt locks/
RUN python -m venv /build && /build/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r locks/build.txt
COPY pyproject.toml README.md ./
COPY operator operator
COPY slackbot slackbot
RUN /build/bin/python -m hatchling build -t wheel -d /dist

FROM ${PYTHON_IMAGE} AS operator-packages
COPY locks/operator.txt /locks/
RUN python -m venv /app && /app/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r /locks/operator.txt
COPY --from=wheel /dist /dist
RUN /app/bin/pip install --no-cache-dir --no-deps /dist/*.whl && /app/bin/pip check \
    && rm -rf /app/lib/python3*/site-packages/finops_sandbox /app/lib/python3*/site-packages/finops_slackbot \
    /app/lib/python3*/site-packages/finops_web

FROM ${PYTHON_IMAGE} AS slackbot-packages
COPY locks/slackbot.txt /locks/
RUN python -m venv /app && /app/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r /locks/slackbot.txt
COPY --from=wheel /dist /dist
RUN /app/bin/pip install --no-cache-dir --no-deps /dist/*.whl && /app/bin/pip check \
    && rm -rf /app/lib/python3*/site-packages/finops_sandbox /app/lib/python3*/site-packages/finops_operator \
    /app/lib/python3*/site-packages/finops_web

FROM ${PYTHON_IMAGE} AS web-packages
COPY locks/web.txt /locks/
RUN python -m venv /app && /app/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r /locks/web.txt
COPY --from=wheel /dist /dist
RUN /app/bin/pip install --no-cache-dir --no-deps /dist/*.whl && /app/bin/pip check \
    && rm -rf /app/lib/python3*/site-packages/finops_sandbox /app/lib/python3*/site-packages/finops_operator \
    /app/lib/python3*/site-packages/finops_slackbot

FROM ${PYTHON_IMAGE} AS operator
COPY --from=operator-packages /app /app
# MALLOC_*: scans read in threads; with an arena for each and a growing threshold, glibc would keep 70 MB after a scan.
# USER: kopf asks for the user's name, and no uid but root's has one in /etc/passwd.
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 USER=finops \
    MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072
USER 65532:65532
ENTRYPOINT ["finops-operator"]

FROM ${PYTHON_IMAGE} AS slackbot
COPY --from=slackbot-packages /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
ENTRYPOINT ["finops-slackbot"]

FROM ${PYTHON_IMAGE} AS web
COPY --from=web-packages /app /app
# MALLOC_*: as the operator's; pages are made in threads, and a list's parts are gone when they are sent.
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072
USER 65532:65532
ENTRYPOINT ["finops-web"]
