"""Preclinical methods: starting doses, safety margins, tumour growth. Pure functions over numbers."""
