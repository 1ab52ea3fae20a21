"""The one place that calls the AR server, and the judgement of its answers."""
