"""Which configuration items BMC Helix has."""
