"""Efficacy methods: response, response rates, two-stage and predictive designs, survival, biomarkers."""
