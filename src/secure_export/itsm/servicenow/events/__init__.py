"""Work items as alerts of Event Management."""
