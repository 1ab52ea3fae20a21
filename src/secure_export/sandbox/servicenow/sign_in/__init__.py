"""How the stand-in knows who sent a request."""
