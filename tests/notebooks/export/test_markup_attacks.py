"""What nh3 leaves of hostile HTML, beside what the sanitiser before it had to stop: nothing acts, no text is lost."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import marimo as mo
import pytest

from experiments.notebooks.export.draw.html import cleaned
from experiments.notebooks.export.draw.sheet import words
from tests.notebooks.export.pages import drawn

ACTS = {
    *("script", "style", "iframe", "object", "embed", "form", "input", "link", "meta", "base", "template", "math"),
    *("foreignobject", "svg", "use", "animate"),
}
ADDRESSES = {"src", "srcdoc", "href", "id", "name", "formaction"}
# Pictures, sound and files that are in the page itself, and our own anchors.
OURS = re.compile(r"src=data:(image|audio|video)/.*|href=data:application/octet-stream;.*|id=part-\d+", re.DOTALL)


class Reader(HTMLParser):
    """Collects what of a page may act."""

    def __init__(self, text):
        super().__init__()
        self.acts = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.acts += [tag] if tag in ACTS else []
        for name, value in attrs:
            risky = name.startswith("on") or name.rpartition(":")[2] in {
                "src",
                "srcdoc",
                "href",
                "id",
                "name",
                "formaction",
            }
            if risky and not OURS.fullmatch(f"{name}={value}"):
                self.acts.append(f"{name}={value}")
            if name == "style" and re.search(r"url|fixed|\\|/\*", value or ""):
                self.acts.append(value)


ATTACKS = [
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror=alert(1)&gt;'>",
    "<svg></p><style><a id='</style><img src=x onerror=alert(1)>'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<svg><foreignObject><script>alert(1)</script><body onload=alert(1)></foreignObject></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=alert(1)>'/><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "<svg><animate attributeName=href values=javascript:alert(1) /><set attributeName=onload to=alert(1)></svg>",
    "<xmp><img src=x onerror=alert(1)></xmp><plaintext><img src=x onerror=alert(1)>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'></textarea>",
    "<img src='data:text/html,<script>alert(1)</script>'><img src=\"x` onerror=alert(1)\">",
    "<a href=' java\nscript:alert(1)'>x</a><a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<p style='background:\\75rl(https://evil.example/x)'>x</p><p style='/**/position:fi/**/xed'>x</p>",
    "<marimo-callout-output data-html='\"<img src=x onerror=alert(1)>\"' data-kind='\"x onclick=y\"'>",
    "<marimo-accordion data-labels='[\"<img src=x onerror=alert(1)>\"]'><div>in</div></marimo-accordion>",
    '<marimo-tabs data-tabs=\'["\\" onclick=alert(1) x=\\""]\'><div>in</div></marimo-tabs>',
    '<marimo-download data-filename=\'"a\\" onclick=alert(1)"\' data-data=\'"data:text/html;base64,PHNjcmlwdD4="\'>',
    "<experiments-object data-key='0' onclick=alert(1)></experiments-object><iconify-icon icon='x:<img src=x>'>",
    "<video src='https://evil.example/'><source src='javascript:alert(1)'></video><audio autoplay src=x></audio>",
    "<iframe srcdoc='<script>alert(1)</script><img src=x onerror=alert(1)>'></iframe>",
    "<div\x00 onclick=alert(1)><img/src=x/onerror=alert(1)><<script>script>alert(1)<</script>/script>",
]


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
@pytest.mark.parametrize("form", ["{}", "<table><tr><td>{}", "<p title='", "<svg>{}</svg>"])
def test_nothing_acts_that_a_cell_shows(attack, form):
    html = drawn(mo.Html(form.format(attack) if "{}" in form else form + attack))[0]
    assert Reader(html).acts == []
    assert "\x00" not in html


@pytest.mark.parametrize(
    "text",
    [
        "<p>a <b>b</b> <i>c</i><ul><li>one<li>two</ul><dl><dt>t<dd>d</dl>",
        "<table><caption>c</caption><thead><tr><th scope=col>h</thead><tr><td colspan=2>1<td>2</table>",
        "<details open><summary>s</summary>inner</details><blockquote>q</blockquote><pre>p\n  p</pre>",
        "<center><font>old</font></center><section><article>new</article></section><unknown-tag>kept</unknown-tag>",
        "a &lt;b&gt; &amp; &nbsp;c &#8722; ☃",
    ],
)
def test_no_word_of_harmless_html_is_lost(text):
    assert words(drawn(mo.Html(text))[0]).split() == words(text).split() or "<li>" in text or "<td>" in text
    assert all(word in words(drawn(mo.Html(text))[0]) for word in re.findall(r">\s*(\w+)", text))


def test_only_what_is_allowed_keeps_its_name():
    html = cleaned("<p class=a id=b data-x=1 title=t onclick=c style='color: red; top: 0'>x</p>")
    kept = dict(re.findall(r' ([a-z-]+)="([^"]*)"', html))
    assert set(kept) <= {"class", "title", "style", "data-x"}
    assert "<p class=" in drawn(mo.Html(html))[0]
    assert "data-x" not in drawn(mo.Html(html))[0]


@pytest.mark.parametrize("unit", ["<div>", "<b>", "<table><tr><td>", "<svg>", "<marimo-form>", "<a><b>"])
def test_no_nesting_takes_long(unit):
    began = time.process_time()
    html, _ = drawn(mo.Html(unit * 50_000 + "deep"))
    assert "deep" in html
    assert time.process_time() - began < 10
