"""Announcing over Kafka: buffered, acknowledged, or spooled while the broker is away."""
