"""Stories to trigger by name, through the public doors."""
