"""The pages of the dashboard: each is a module with its address, its question and its template."""
