"""Molecules: their structures, drawings and searches. Pure functions; RDKit is loaded when first needed."""
