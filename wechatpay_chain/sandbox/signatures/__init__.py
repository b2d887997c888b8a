"""Keys, signatures, and what is wrong with those that do not hold."""
