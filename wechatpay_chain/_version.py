"""The version, for the build and for ``User-Agent``."""

__version__ = "0.1.0"
