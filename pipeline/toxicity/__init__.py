"""Toxicity methods: laboratory grades, dose-limiting toxicity, escalation designs, monitoring, liver and QT."""
