"""What all pages of the dashboard have in common: who may ask, what a page is, how it is written, what is refused."""
