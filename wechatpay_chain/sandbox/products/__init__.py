"""What the endpoints do: one module per product, each with a function ``routes``."""
