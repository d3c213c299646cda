"""The one style sheet of marimo's page and of the log; apart from what draws by it, for a command imports no marimo."""

from __future__ import annotations

from experiments.project import look

_HAIRLINE = f"light-dark({look.LIGHT.hairline}, {look.DARK.hairline})"
_ACCENT = f"light-dark({look.LIGHT.accent}, {look.DARK.accent})"
_MUTED = f"color: light-dark({look.LIGHT.muted}, {look.DARK.muted})"
SHEET = f"""
:root {{ --marimo-text-font: system-ui, sans-serif; --marimo-heading-font: system-ui, sans-serif; }}
.markdown.prose :is(h1, h2, h3) {{ font-weight: 600; }}
.markdown.prose h1 {{ font-size: 28px; line-height: 36px; }}
.markdown.prose h2 {{ font-size: 20px; line-height: 28px; }}
.markdown.prose h3 {{ font-size: 16px; line-height: 24px; }}
.xs {{ font: 14px/20px system-ui, sans-serif; font-variant-numeric: tabular-nums; }}
.xs p {{ margin: 4px 0; }}
.xs h1 {{ margin: 0; font-size: 28px; line-height: 36px; font-weight: 600; }}
.xs h2 {{ margin: 0; font-size: 20px; line-height: 28px; font-weight: 600; }}
.xs h3 {{ margin: 0; font-size: 16px; line-height: 24px; font-weight: 600; }}
.xs h4 {{ margin: 12px 0 4px; font: inherit; font-weight: 600; }}
.xs .muted {{ {_MUTED}; font-weight: normal; }}
.xs .text {{ max-width: 100ch; white-space: pre-wrap; overflow-wrap: anywhere; }}
.xs .text:where(p, div) {{ font-size: 16px; line-height: 24px; }}
.xs .small {{ font-size: 12px; line-height: 18px; max-width: 100ch; overflow-wrap: anywhere; }}
.xs .lead {{ font-size: 20px; line-height: 28px; font-weight: 600; }}
.xs .pair {{ margin-right: 16px; }}
.xs .wide {{ overflow-x: auto; }}
.xs table {{ border-collapse: collapse; }}
.xs :is(th, td) {{ padding: 2px 16px 2px 0; text-align: left; vertical-align: top; font-weight: normal; }}
.xs th {{ {_MUTED}; white-space: nowrap; }}
.xs td {{ overflow-wrap: anywhere; white-space: normal; max-width: none; }}
.xs :is(th, td).number {{ text-align: right; }}
@media (max-width: 600px) {{ .xs tbody th {{ white-space: normal; overflow-wrap: anywhere; }} }}
.xs thead th {{ border-bottom: 1px solid {_HAIRLINE}; }}
.xs pre {{ margin: 4px 0; white-space: pre-wrap; overflow-wrap: anywhere; }}
.xs .log {{ display: flex; flex-direction: column-reverse; max-height: 360px; overflow: auto; padding: 4px 12px; }}
.xs .log {{ border: 1px solid {_HAIRLINE}; }}
.xs .frame {{ width: 100%; height: 80vh; border: 0; }}
.xs .strong {{ font-weight: 600; }}
.xs ul {{ list-style: none; margin: 0; padding: 0; }}
.xs li {{ padding: 12px 0; border-top: 1px solid {_HAIRLINE}; }}
.xs a {{ color: {_ACCENT}; text-decoration: underline; text-underline-offset: 3px; }}
"""
"""Sizes 12, 14, 20 and 28 and steps of 4 px, as the look has them; marimo's own parts take the same type family.

The export writes it into its own page.
"""

MARIMOS_OWN = f"""
:is(.dark, .dark .marimo) {{ --background: {look.DARK.page}; --secondary: {look.DARK.raised}; }}
:is(.dark, .dark .marimo) {{ --secondary-foreground: {look.DARK.text}; }}
@media (max-width: 600px) {{ [role="radiogroup"].grid-flow-col {{ display: flex; flex-wrap: wrap; gap: 4px 16px; }} }}
:is(button, a, input, select, [tabindex]):focus-visible {{ outline: 2px solid {_ACCENT}; outline-offset: 2px; }}
@media print {{ .output-area {{ contain: inline-size; }} }}
"""
"""Of marimo's own parts, where they are not as the look has it: its dark page is of another colour than what stands on
it, its buttons are as bright there as on a light one, choices leave a narrow page, the ring of what has the focus is
one pixel of a muted colour, and a printed page is as wide as it was on the screen.

They stand in shadow roots, into which marimo copies the sheets of its page that have a `data-vite-dev-id`. It promises
neither that nor those names, only what begins with `--marimo-`: where one of them changes, they are as marimo has them.
"""
