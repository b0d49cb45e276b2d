"""One's own way in: signing in and out, by a password or by the city's own sign-in, and choosing a password.

What administrators do with others' accounts is in ``api.accounts``.
"""
