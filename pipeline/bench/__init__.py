"""Measurements: each sets what Moltrail does beside the least that could be done, in one run, and gives the ratio."""
