"""The fixtures themselves: a fresh topic, a fresh database of each kind."""

from confluent_kafka.admin import AdminClient
from sqlalchemy import create_engine, inspect, text


def test_a_topic_has_four_partitions(kafka: str, topic: str) -> None:
    listed = AdminClient({"bootstrap.servers": kafka}).list_topics(topic, timeout=10)
    assert len(listed.topics[topic].partitions) == 4


def test_a_database_is_empty_and_usable(database: str) -> None:
    engine = create_engine(database)
    assert inspect(engine).get_table_names() == []
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE one (n int)"))
    engine.dispose()
