"""Work items as records of task tables: incidents, problems, changes and others."""
