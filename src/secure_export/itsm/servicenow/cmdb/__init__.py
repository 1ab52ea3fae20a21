"""Which configuration items ServiceNow has."""
