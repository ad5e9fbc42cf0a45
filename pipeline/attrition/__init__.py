"""Attrition methods: transition rates, incidence, time in stage, reasons, lead time, what a checkpoint is worth."""
