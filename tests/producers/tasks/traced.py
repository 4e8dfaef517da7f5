"""The same tasks in an application that has set up tracing. SHOP_RECEIVER says where its spans go, if anywhere."""

import os
from functools import partial

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import oyez.producers.celery
from oyez.producers.tracing import send_spans
from producers.tasks.noting import app  # noqa: F401 # Celery looks for it here

provider = TracerProvider()
if "SHOP_RECEIVER" in os.environ:
    exporter = OTLPSpanExporter(os.environ["SHOP_RECEIVER"])
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=600_000))
trace.set_tracer_provider(provider)
oyez.producers.celery.send_spans = partial(send_spans, 60.0)  # each span is to arrive, on any machine
