"""What was seen: the journal, kept, sent again and compared."""
