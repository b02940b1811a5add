"""Watching the stack: the alarms, the topic that they notify, and the dashboard."""
