from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from experiments.project.latex import escaped, latex_table


@given(st.text(max_size=60))
def test_no_text_is_a_command_or_leaves_its_cell(text):
    found = escaped(text)
    bare = re.sub(
        r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|textquotedbl)\{\}", "", found
    )
    bare = re.sub(r"\\[{}$&#_%]", "", bare).replace("$-$", "")
    assert not set(bare) & set("\\{}$&#_%~^\n\r\x00")


def test_a_table_holds_names_as_they_are():
    made = latex_table(
        ["arm", "score"], [["rate_0.1 & <b>", "1.5"]], numeric=[False, True], caption="5 % of", label="a_b:c"
    )
    assert r"rate\_0.1 \& \textless{}b\textgreater{} & 1.5 \\" in made
    assert r"\begin{tabular}{lr}" in made
    assert r"\caption{5 \% of}" in made
    assert r"\label{ab:c}" in made


def test_an_empty_table_is_a_table():
    assert latex_table(["a"], []).count("rule") == 3
