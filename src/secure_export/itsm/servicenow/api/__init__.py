"""The one place that calls ServiceNow, and the judgement of its answers."""
