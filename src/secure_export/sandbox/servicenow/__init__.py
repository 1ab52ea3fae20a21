"""A stand-in for a ServiceNow instance."""
