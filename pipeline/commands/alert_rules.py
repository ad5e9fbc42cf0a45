"""The rules `watch` applies to what an act wrote. One that is added here is applied from then on.

A rule is handed the act and what it touched, and says which matters stand that the act can have changed; it reads what
the act wrote by `since_act` and the rest by index, so that it costs the same in a portfolio of any size.
"""

from __future__ import annotations

from pipeline.commands.alert_areas import areas_beyond_limits
from pipeline.commands.alert_concentrations import concentrations_beyond_limits
from pipeline.commands.alert_dlt import dlt_rates
from pipeline.commands.alert_liver import hys_law_candidates
from pipeline.commands.alert_qtc import long_qtc
from pipeline.commands.alert_troughs import troughs_beyond_limits
from pipeline.commands.alerts import Rule

RULES: list[Rule] = [
    concentrations_beyond_limits,
    troughs_beyond_limits,
    areas_beyond_limits,
    dlt_rates,
    hys_law_candidates,
    long_qtc,
]
