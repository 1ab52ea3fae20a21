"""Microsoft Graph v1.0 as far as setting up a secure webhook needs it (entra-facts section 5)."""
