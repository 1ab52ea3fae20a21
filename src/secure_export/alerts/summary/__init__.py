"""What a service desk reads of an alert: a title, a description, and facts for templates."""

from secure_export.alerts.summary.compose import Summary, description, facts, title

__all__ = ["Summary", "description", "facts", "title"]
