"""Formats in and out: one reader or writer each; bytes in, facts and the fate of every row out. Nothing here writes."""
