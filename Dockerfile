# The reference application, on the wheel that users install. docs/containers.md says how to pin its base and to list
# what is in it.

ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
RUN python -m venv --without-pip /opt/oyez
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
# What Oyez needs, in a layer that stays while only Oyez changes. SQLAlchemy's wheel has 8 MB for debuggers.
RUN mkdir -p schemas/oyez producers/oyez consumers/oyez && touch consumers/pytest_oyez.py \
    && pip --python /opt/oyez install --no-cache-dir --no-compile ".[postgres,metrics]" \
    && find /opt/oyez -path "*/sqlalchemy/*.so" -exec strip --strip-unneeded {} +
COPY schemas ./schemas
COPY producers ./producers
COPY consumers ./consumers
RUN pip --python /opt/oyez install --no-cache-dir --no-compile --no-deps --force-reinstall .
# Python compiles what it imports, and cannot in a container that is read-only: once here, for what workers import.
COPY examples/visits /app/visits
RUN cd /app && export OYEZ_DATABASE=sqlite:////tmp/any.db \
    && /opt/oyez/bin/oyez db upgrade && /opt/oyez/bin/oyez listen --help > /tmp/help \
    && /opt/oyez/bin/python -c "import psycopg, sqlalchemy.dialects.postgresql.psycopg, visits.handlers; \
import oyez.consumers.run.listen, oyez.consumers.logs.kafka.backend, oyez.consumers.metrics.prometheus"

FROM ${PYTHON_IMAGE}
ARG VERSION=0.2.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="oyez-visits" \
      org.opencontainers.image.description="The reference application of Oyez, an event pipeline for Python" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN useradd --system --uid 10001 --no-create-home oyez
COPY --from=build /opt/oyez /opt/oyez
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/oyez/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 OYEZ_APP=visits.handlers:on
USER 10001
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s CMD ["oyez", "healthy"]
ENTRYPOINT ["oyez"]
CMD ["listen"]
