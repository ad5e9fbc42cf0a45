"""What the server is measured beside: other ways to answer the same documents from the same tables.

They are as good as their libraries allow: documents parsed and validated once, JSON by orjson, one snapshot of rows
that are current, the same columns, indexes, driver and pool.
"""
