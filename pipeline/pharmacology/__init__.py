"""Pharmacology methods: exposure from concentrations, troughs, proportionality, exposure-response, alerts."""
