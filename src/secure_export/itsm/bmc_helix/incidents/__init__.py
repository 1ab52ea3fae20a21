"""Work items as incidents."""
