"""How requests come in: adapter, WSGI, ASGI, a server."""
