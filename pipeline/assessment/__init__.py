"""Checkpoints as computations: what a rule finds in the evidence, what it recommends. Pure: nothing is read here."""
