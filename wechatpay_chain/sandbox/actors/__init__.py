"""Who acts beside the merchant: users, banks, and tests that set scenes."""
