"""One style sheet for every page of the server, and what is put around marimo's pages; the colours are `look`'s."""

from __future__ import annotations

import html
from collections.abc import Sequence

from experiments.project import look

THEME_COOKIE = "experiments_theme"
LINKS = (
    ("/", "Overview"),
    ("/apps/fleet/", "Fleet"),
    ("/apps/compare/", "Compare"),
    ("/apps/replays/", "Replays"),
    ("/apps/logbook/", "Logbook"),
    ("/health", "Health"),
)

_SYSTEM_FONT = 'system-ui, -apple-system, "Segoe UI", sans-serif'


def variables() -> str:
    """Return the colours as CSS variables that follow the page's own colour scheme."""
    names = ("page", "raised", "text", "muted", "hairline", "accent")
    pairs = [(name, getattr(look.LIGHT, name), getattr(look.DARK, name)) for name in names]
    pairs += [(f"arm-{number}", *both) for number, both in enumerate(zip(look.LIGHT.arms, look.DARK.arms, strict=True))]
    pairs += [(f"state-{state}", sign.light, sign.dark) for state, sign in look.STATES.items()]
    return "".join(f"--ex-{name}: light-dark({light}, {dark}); " for name, light, dark in pairs)


def page_css() -> str:
    """Return the style sheet of the server's own pages."""
    return (
        f":root {{ {variables()} color-scheme: light dark; }}"
        ":root[data-theme=dark] { color-scheme: dark; } :root[data-theme=light] { color-scheme: light; }"
        "* { box-sizing: border-box; }"
        f"body {{ margin: 0; background: var(--ex-page); color: var(--ex-text); font: 14px/20px {_SYSTEM_FONT};"
        " font-variant-numeric: tabular-nums; }"
        "main { max-width: 960px; margin: 0 auto; padding: 24px 16px 64px; }"
        "h1 { font-size: 28px; line-height: 36px; font-weight: 600; margin: 16px 0 8px; }"
        "h2 { font-size: 16px; line-height: 24px; font-weight: 600; margin: 32px 0 8px; }"
        "p { margin: 8px 0; } a { color: var(--ex-accent); text-underline-offset: 3px; }"
        ".muted, small { color: var(--ex-muted); } small { font-size: 12px; }"
        ".cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 12px; padding: 0;"
        " list-style: none; margin: 16px 0; }"
        ".cards a { display: block; height: 100%; padding: 12px 16px; border: 1px solid var(--ex-hairline);"
        " border-radius: 6px; color: inherit; text-decoration: none; }"
        ".cards a:hover { background: var(--ex-raised); } .cards b { display: block; color: var(--ex-accent);"
        " font-size: 16px; line-height: 24px; font-weight: 600; }"
        ".list { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--ex-hairline); }"
        ".list li { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 16px; min-height: 36px;"
        " padding: 8px 0; border-bottom: 1px solid var(--ex-hairline); overflow-wrap: anywhere; }"
        "table { border-collapse: collapse; width: 100%; } th, td { text-align: left; font-weight: normal;"
        " padding: 4px 16px 4px 0; border-bottom: 1px solid var(--ex-hairline); vertical-align: top; }"
        ":is(th, td):last-child { padding-right: 0; } th { color: var(--ex-muted); } td.number { text-align: right; }"
        "input, button { font: inherit; color: inherit; min-height: 36px; padding: 0 12px; border-radius: 4px;"
        " border: 1px solid var(--ex-muted); background: var(--ex-page); }"
        ".line { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; margin: 16px 0; }"
        "input { min-width: 0; } button { cursor: pointer; }"
        " button.main { border-color: var(--ex-accent); color: var(--ex-accent); }"
        ":focus-visible { outline: 2px solid var(--ex-accent); outline-offset: 2px; }" + nav_css()
    )


def nav_css() -> str:
    """Return the style of the bar at the top of every page."""
    return (
        f".ex-nav {{ {variables()} position: relative; z-index: 5; display: flex; flex-wrap: wrap; align-items: center;"
        f" gap: 0 4px; padding: 0 12px; font: 14px/20px {_SYSTEM_FONT}; color: var(--ex-muted);"
        " border-bottom: 1px solid var(--ex-hairline); background: var(--background, var(--ex-page)); }"
        ".ex-nav a, .ex-nav button { display: inline-flex; align-items: center; min-height: 36px; padding: 0 8px;"
        " color: inherit; text-decoration: none; border: 0; background: none; font: inherit; cursor: pointer; }"
        ".ex-nav a:hover, .ex-nav button:hover { color: var(--ex-text); text-decoration: underline;"
        " text-underline-offset: 3px; }"
        ".ex-nav a[aria-current] { color: var(--ex-text); font-weight: 600;"
        " box-shadow: inset 0 -2px var(--ex-accent); }"
        ".ex-nav :focus-visible { outline: 2px solid var(--ex-accent); outline-offset: -2px; }"
        ".ex-nav button { margin-left: auto; } @media print { .ex-nav { display: none; } }"
        "body.dark .ex-nav, body.dark-theme .ex-nav { color-scheme: dark; }"
    )


def nav(current: str = "") -> str:
    """Return the bar of links."""
    links = "".join(
        f'<a href="{address}"{" aria-current=page" if address == current else ""}>{name}</a>' for address, name in LINKS
    )
    return f'<nav class="ex-nav" aria-label="Pages">{links}<button type="button" data-theme-switch></button></nav>'


# The kernel draws charts for the colours that the page asked for, so the choice is a cookie that the server reads.
THEME_SCRIPT = f"""(() => {{
  const name = "{THEME_COOKIE}", system = matchMedia("(prefers-color-scheme: dark)");
  const saved = document.cookie.split("; ").find((part) => part.startsWith(name + "="))?.split("=")[1];
  const theme = saved === "dark" || saved === "light" ? saved : system.matches ? "dark" : "light";
  const keep = (value) => {{ document.cookie = `${{name}}=${{value}}; path=/; max-age=31536000; samesite=strict`; }};
  document.documentElement.dataset.theme = theme;
  const made = document.querySelector("meta[name=experiments-theme]")?.content;
  if (saved !== theme) keep(theme);
  if (made && made !== theme && document.cookie.includes(name + "=" + theme)) location.reload();
  const build = () => {{
    let bar = document.querySelector(".ex-nav");
    if (!bar) {{
      const holder = document.createElement("div");
      holder.innerHTML = document.getElementById("ex-nav").innerHTML;
      bar = holder.firstElementChild;
      for (const link of bar.querySelectorAll("a")) {{
        if (link.getAttribute("href") === location.pathname) link.setAttribute("aria-current", "page");
      }}
      if (theme === "dark") bar.style.colorScheme = "dark";
      document.body.prepend(bar);
    }}
    const button = bar.querySelector("[data-theme-switch]"), other = theme === "dark" ? "light" : "dark";
    button.textContent = other === "dark" ? "Dark colours" : "Light colours";
    button.onclick = () => {{ keep(other); location.reload(); }};
  }};
  if (document.body) build(); else addEventListener("DOMContentLoaded", build);
}})();"""


REST_S = 120
"""A page that has been out of sight for so long gives up its session, and takes it up again when it is seen."""

_REST_SCRIPT = f"""(() => {{
  let timer = 0;
  document.addEventListener("visibilitychange", () => {{
    clearTimeout(timer);
    const to = encodeURIComponent(location.pathname + location.search);
    if (document.hidden) timer = setTimeout(() => location.replace(`/rest?to=${{to}}`), {REST_S * 1000});
  }});
}})();"""
WAKE_SCRIPT = """(() => {
  const to = new URLSearchParams(location.search).get("to") ?? "/";
  const back = () => {
    if (!document.hidden) location.replace(/^\\/(?![\\/\\\\])/.test(to) ? to : "/");
  };
  document.addEventListener("visibilitychange", back);
  document.querySelector("a").addEventListener("click", (event) => { event.preventDefault(); back(); });
  back();
})();"""


def marimo_head(theme: str) -> str:
    """Return what goes into the head of marimo's pages: the bar, and the colours they were made for."""
    palette = look.DARK if theme == "dark" else look.LIGHT
    return (
        f'<meta name="experiments-theme" content="{html.escape(theme)}"><style>{nav_css()}'
        # One ground for every page: marimo's own dark is another.
        f" :root, body {{ --background: {palette.page} !important; }}"
        # marimo's page is laid over the whole window; its menu offers what is not served here.
        " body { display: flex; flex-direction: column; height: 100vh; } #root { position: relative; flex: 1 1 0;"
        " height: auto; min-height: 0; }"
        # Until marimo's own script runs, which is a moment on a fast machine and seconds on a phone.
        f' #root:empty::before {{ content: "Opening the page"; display: block; padding: 24px 12px;'
        f" font: 14px/20px {_SYSTEM_FONT}; color: {palette.muted}; }}"
        ' [data-testid="notebook-actions-dropdown"] { display: none; }'
        # The bar is above: no room is needed for marimo's own, nor above a page's title.
        " #App > :first-child { padding-top: 0 !important; } #App .prose h1 { margin-top: 8px; }</style>"
        f'<template id="ex-nav">{nav()}</template><script>{THEME_SCRIPT}{_REST_SCRIPT}</script>'
    )


def document(title: str, body: str, *, current: str = "", with_nav: bool = True, head: Sequence[str] = ()) -> bytes:
    """Return a page of the server's own."""
    bar = nav(current) if with_nav else ""
    script = f"<script>{THEME_SCRIPT}</script>" if with_nav else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{html.escape(title)}</title>'
        f"<style>{page_css()}</style>{''.join(head)}</head>"
        f"<body>{bar}<main>{body}</main>{script}</body></html>"
    ).encode()
