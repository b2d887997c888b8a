"""APIv2: XML, signed by MD5 or HMAC-SHA256."""
