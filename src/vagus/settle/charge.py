"""What a step costs, decided from the step's own row.

Nothing but the row and the prices is looked at, so pricing history again is the same function over
the same numbers: with the same prices it gives the same row.
"""

from __future__ import annotations

from collections.abc import Callable

from vagus.model.usage import Price, Usage
from vagus.settle.rows import StepRow

#: The price of a call, or None when nobody knows it.
PriceCall = Callable[[Usage], Price | None]

#: Failures after which the provider may have worked, and charged, without our hearing of it.
_MAY_BE_CHARGED = frozenset(("timeout", "cancelled"))


def charge_step(step: StepRow, price: PriceCall) -> None:
    """Set the money columns of a step.

    The amount is what the telemetry reports, else what the prices compute, else unknown; both are
    kept where both exist. The parts belong to a computed amount and add up to it.
    """
    if not step.is_billable:
        return
    if step.cost_source != "none" or step.cost_usd is not None:
        _clear(step)
    if step.is_local_cache:
        step.cost_usd, step.computed_cost_usd, step.cost_source = 0.0, 0.0, "computed"
        return
    found = _price_of(step, price)
    step.computed_cost_usd = found.total_usd if found else None
    if step.reported_cost_usd is not None:
        step.cost_usd, step.cost_source = step.reported_cost_usd, "reported"
        step.price_source = "reported"
    elif found is not None:
        _set_price(step, found)
    elif _is_free(step):
        step.cost_usd, step.cost_source = 0.0, "none"
    else:
        step.cost_source = "unknown"


def _clear(step: StepRow) -> None:
    step.cost_input_usd = step.cost_output_usd = step.cost_request_usd = 0.0
    step.cost_cache_usd = step.cost_cache_read_usd = step.cost_cache_write_usd = 0.0
    step.cost_audio_usd = step.cost_image_usd = 0.0
    step.cost_usd = step.computed_cost_usd = None
    step.cost_source, step.price_source, step.price_id = "none", "", ""


def _set_price(step: StepRow, found: Price) -> None:
    step.cost_input_usd = found.input_usd
    step.cost_output_usd = found.output_usd
    step.cost_cache_usd = found.cache_usd
    step.cost_cache_read_usd = found.cache_read_usd
    step.cost_cache_write_usd = found.cache_write_usd
    step.cost_audio_usd = found.audio_usd
    step.cost_image_usd = found.image_usd
    step.cost_request_usd = found.request_usd
    step.cost_usd, step.cost_source = found.total_usd, "computed"
    step.price_source, step.price_id = found.source, found.price_id


def _is_free(step: StepRow) -> bool:
    """Whether a call failed before it used anything; a silent one that may have run is unknown."""
    is_refused = step.status == "error" and not step.has_usage and not step.is_cut_off
    return is_refused and step.error_class not in _MAY_BE_CHARGED


def _price_of(step: StepRow, price: PriceCall) -> Price | None:
    """The price by the model that answered, else by the one that was asked for."""
    if step.is_usage_partial and not step.is_cut_off:
        return None
    for model in dict.fromkeys((step.model, step.request_model)):
        found = price(_usage_of(step, model))
        if found is not None:
            return found
    return None


def _usage_of(step: StepRow, model: str) -> Usage:
    return Usage(
        provider=step.provider,
        model=model,
        time_s=float(step.start),
        project=step.project,
        input_tokens=step.input_tokens,
        output_tokens=step.output_tokens,
        cache_read_tokens=step.cache_read_tokens,
        cache_write_tokens=step.cache_write_tokens,
        cache_write_5m_tokens=step.cache_write_5m_tokens,
        cache_write_1h_tokens=step.cache_write_1h_tokens,
        reasoning_tokens=step.reasoning_tokens,
        audio_input_tokens=step.audio_input_tokens,
        audio_output_tokens=step.audio_output_tokens,
        audio_cache_read_tokens=step.audio_cache_read_tokens,
        image_input_tokens=step.image_input_tokens,
        image_output_tokens=step.image_output_tokens,
        web_search_requests=step.web_search_requests,
        service_tier=step.service_tier,
        duration_s=step.duration_ms / 1000,
        is_said=bool(step.has_usage),
    )
