"""The documentation site: what mkdocs is told, and the pages that are made of the code."""
