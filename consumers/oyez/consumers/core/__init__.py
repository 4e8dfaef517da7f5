"""What the rooms above speak in: how a handler ends, a record, a report, a back-off, a deadline, a user's error."""
