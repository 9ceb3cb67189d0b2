"""The outside world of a measurement: a Slack and a model that answer at once and note what they see and when."""
