"""The rules `watch` applies to what an act wrote. One that is added here is applied from then on.

A rule is handed the act and what it touched, and says which matters stand that the act can have changed; it reads what
the act wrote by `since_act` and the rest by index, so that it costs the same in a portfolio of any size.
"""

from __future__ import annotations

from pipeline.commands.alert_checkpoints import checkpoints_concerned
from pipeline.commands.alert_conditions import conditions_overdue
from pipeline.commands.alert_dlt import dlt_rates
from pipeline.commands.alert_exposures import exposures_beyond_limits
from pipeline.commands.alert_liver import hys_law_candidates
from pipeline.commands.alert_margins import margins_crossed
from pipeline.commands.alert_qtc import long_qtc
from pipeline.commands.alerts import Rule

RULES: list[Rule] = [
    exposures_beyond_limits,
    dlt_rates,
    hys_law_candidates,
    long_qtc,
    margins_crossed,
    checkpoints_concerned,
    conditions_overdue,
]
