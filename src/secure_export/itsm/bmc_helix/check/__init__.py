"""What secure-export check tries, and what an administrator must change."""
