"""The same few tests with each Kafka, PostgreSQL, Python and set of dependencies that can be had: `make compat`."""
