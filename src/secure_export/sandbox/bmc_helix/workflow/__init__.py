"""What filters of the application do when entries are created and changed."""
