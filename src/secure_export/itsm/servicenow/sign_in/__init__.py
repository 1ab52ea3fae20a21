"""The ways to sign in to ServiceNow."""
