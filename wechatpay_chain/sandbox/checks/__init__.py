"""From the bytes of a request to a valid call, with every problem at once."""
