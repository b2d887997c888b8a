"""Answers of endpoints without behaviour, made from the catalogue."""
