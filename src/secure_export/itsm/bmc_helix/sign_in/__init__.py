"""The ways to sign in to BMC Helix."""
