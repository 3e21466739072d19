"""Whether a monitor's rule can be applied to its measure."""

from __future__ import annotations

from vagus.measures.catalogue import Catalogue
from vagus.measures.filter import check_dimension
from vagus.watch.monitor import Drift, Monitor, Threshold
from vagus.watch.signal import signal_of


def check_measure(monitor: Monitor, catalogue: Catalogue) -> None:
    """Refuse a rule that its measure cannot bear; `BadInput` names the field."""
    measure = catalogue.get(monitor.measure)
    if not isinstance(monitor.rule, Threshold):
        signal_of(monitor, measure)
    if isinstance(monitor.rule, Drift):
        check_dimension(monitor.rule.dimension, measure.source, "rule.dimension")
