"""Azure Resource Manager as far as a secure webhook's set-up and upkeep need it (entra-facts section 6)."""
