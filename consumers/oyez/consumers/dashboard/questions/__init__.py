"""What the pages of the dashboard ask, in terms of the reports, and within bounds."""
