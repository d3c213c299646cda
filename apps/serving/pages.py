"""The server's own pages, as plain HTML: the first page, logging in, and what a page says that cannot be shown."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from apps.serving.theme import WAKE_SCRIPT, document

_HEADINGS = {
    400: "This request cannot be answered",
    401: "Log in",
    403: "Not from there",
    404: "There is no such page",
    405: "Read-only",
    408: "Too slow",
    414: "This address is too long",
    421: "Unknown name",
    422: "This notebook cannot be shown",
    429: "Too many tries",
    503: "All places are taken",
}
APPS = {
    "fleet": ("Fleet", "Every experiment and job: state, progress, speed, cost, failures and alerts."),
    "compare": ("Compare", "Choose runs or arms; curves, scores and differences with their intervals."),
    "replays": ("Replays", "What the agents did: a gallery by run and step, one or two at a time."),
    "logbook": ("Logbook", "The exported logs of finished experiments, searchable."),
}


@dataclass(frozen=True)
class Link:
    """One line of a list: where it leads, what it is called, and a remark."""

    address: str
    text: str
    remark: str = ""


def message_page(status: int, text: str, *, login: bool = False, target: str = "/", with_nav: bool = False) -> bytes:
    """Return a page that says one thing.

    Args:
        login: Ask for the token, and then lead to `target`.
        with_nav: Show the bar of pages, to whom it is open.
    """
    heading = _HEADINGS.get(status, "Something went wrong")
    said = f"<p>{html.escape(text)}</p>" if text else ""
    form = ""
    if login:
        form = (
            "<p>Open the address that <code>experiments serve</code> printed, or paste its token. The token is also in "
            "<code>.experiments/serve/token</code> on the machine that serves.</p>"
            '<form class="line" method="post" action="/login"><label for="token">Token</label><input id="token" '
            'name="token" type="password" required autofocus autocomplete="current-password" size="48">'
            f'<input type="hidden" name="next" value="{html.escape(target, quote=True)}">'
            '<button class="main">Log in</button></form>'
        )
    return document(heading, f"<h1>{heading}</h1>{said}{form}", with_nav=with_nav)


def pass_page(target: str) -> bytes:
    """Return a page that asks for `target` again, this time from this very server."""
    safe = html.escape(target, quote=True)
    body = f'<p>One moment. If nothing happens, <a href="{safe}">open the page</a>.</p>'
    return document("One moment", body, with_nav=False, head=[f'<meta http-equiv="refresh" content="0; url={safe}">'])


def rest_page() -> bytes:
    """Return what a page becomes that nobody sees: it costs nothing, and is itself again once it is seen."""
    body = '<p>This page rests while nobody looks. <a href="/">Open it again</a></p>'
    return document("Resting", f"{body}<script>{WAKE_SCRIPT}</script>", with_nav=False)


def index_page(
    project: str, apps: Sequence[str], notebooks: Sequence[Link], logs: Sequence[Link], left_out: Sequence[str] = ()
) -> bytes:
    """Return the first page: apps, notebooks and logs, and the files that are left out, each with its reason."""
    cards = "".join(
        f'<li><a href="/apps/{name}/"><b>{APPS[name][0]}</b>{APPS[name][1]}</a></li>' for name in apps if name in APPS
    )
    return document(
        f"{project}: experiments",
        f'<h1>{html.escape(project)}</h1><p class="muted">Read-only: nobody can launch, change or cancel anything '
        f'here.</p><ul class="cards">{cards}</ul>'
        + _section(
            "Notebooks",
            notebooks,
            "No notebook yet. Run a recipe, and its notebook appears here: "
            "<code>./experiments/recipes/arena_experiment.py</code>",
        )
        + _section(
            "Logs", logs, "No log yet. Export a notebook, and its page appears here: <code>experiments export</code>"
        )
        + (f'<p class="muted">Left out: {html.escape("; ".join(left_out[:20]))}</p>' if left_out else ""),
        current="/",
    )


def figures_page(figures: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> bytes:
    """Return the health page: tables of a name and a figure each."""
    tables = "".join(
        f"<h2>{html.escape(title)}</h2><table>"
        + "".join(
            f"<tr><th scope=row>{html.escape(name)}</th><td class=number>{html.escape(value)}</td></tr>"
            for name, value in rows
        )
        + "</table>"
        for title, rows in figures
    )
    refresh = '<meta http-equiv="refresh" content="10">'
    return document("Health", f"<h1>Health</h1>{tables}", current="/health", head=[refresh])


def _section(title: str, links: Sequence[Link], empty: str) -> str:
    if not links:
        return f'<h2>{title}</h2><p class="muted">{empty}</p>'
    items = "".join(
        f'<li><a href="{html.escape(link.address, quote=True)}">{html.escape(link.text)}</a>'
        f"<small>{html.escape(link.remark)}</small></li>"
        for link in links
    )
    return f'<h2>{title}</h2><ul class="list">{items}</ul>'
