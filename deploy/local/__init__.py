"""The local stack: a real Apache Kafka and a real PostgreSQL, from Python packages and jars alone."""
