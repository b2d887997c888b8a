"""State tables, and the machine that follows them."""
