"""What can be made to go wrong, by rules and by magic values."""
