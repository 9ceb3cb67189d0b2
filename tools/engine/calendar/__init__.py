"""Calendars: what happens when, for whom, across time zones; in our own tables or on a CalDAV server."""
