"""A Docker engine, Docker Compose and base images on a machine that has none of them."""
