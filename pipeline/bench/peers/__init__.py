"""What the server is measured beside: other ways to answer the same documents from the same tables.

They are used as their libraries mean them to be, and spared what is not theirs: the same columns, indexes, driver,
pool, JSON by orjson, as many threads as the server has. Documents are parsed and validated as the libraries do it by
themselves: by graphene each time, by Strawberry once, with its caches.
"""
