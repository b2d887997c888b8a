"""Where a world is kept: tables, jobs, snapshots, a file."""
