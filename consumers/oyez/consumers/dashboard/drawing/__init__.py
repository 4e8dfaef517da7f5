"""What is drawn on the server: plots and graphs, as shapes that a template writes as SVG."""
