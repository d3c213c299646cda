"""A Vega-Lite chart that updates in place, and tells Python where a person zoomed, brushed and clicked."""

from __future__ import annotations

from widgets.charts.chart import ChartWidget, divided

__all__ = ["ChartWidget", "divided"]
