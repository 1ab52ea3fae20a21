"""A stand-in for BMC Helix ITSM: the AR System REST API with the incident forms, and the CMDB REST API."""
