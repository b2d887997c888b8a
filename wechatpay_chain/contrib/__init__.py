"""Adapters to frameworks, one module each; every one needs an extra of its own."""
