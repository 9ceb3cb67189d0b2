"""The Slack platform: the only place that imports slack_bolt and slack_sdk. `adapter.SlackAdapter` is the way in."""
