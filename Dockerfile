# The reference application, on the wheel that users install.

FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY schemas ./schemas
COPY producers ./producers
COPY consumers ./consumers
RUN pip wheel --no-cache-dir --wheel-dir /wheels ".[postgres]"

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home oyez
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-index --find-links /wheels "oyez[postgres]" && rm -rf /wheels
WORKDIR /app
COPY examples/visits ./visits
ENV PYTHONPATH=/app PYTHONUNBUFFERED=1 OYEZ_APP=visits.handlers:on
USER 10001
ENTRYPOINT ["oyez"]
CMD ["listen"]
