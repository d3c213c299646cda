"""The audit says what it knows, and never takes silence for a clean answer."""

from __future__ import annotations

import json

import pytest

from tests.audit import CLEAN, FOUND, UNKNOWN, Answer, audit_answer, exit_code, index_answer, npm_answer

WEAKNESS = {"id": "GHSA-1", "fix_versions": ["2.1"], "aliases": [], "description": ""}
PACKAGES = [{"name": "a", "version": "1", "vulns": []}, {"name": "b", "version": "2", "vulns": [WEAKNESS]}]


def told(*packages):
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_weakness_is_found_whatever_else_was_not_looked_up():
    answer = audit_answer("osv", told(*PACKAGES, {"name": "c", "skip_reason": "not there"}), "", asked=3)
    assert answer.weak == ("b 2: GHSA-1, mended in 2.1",)
    assert exit_code([answer, Answer("npm", 3, problem="no answer")]) == FOUND
    assert answer.words().startswith("FOUND by pip-audit (osv):")


def test_a_service_that_knows_no_package_has_checked_nothing():
    """pip-audit itself says "No known vulnerabilities found" here, and ends with 0."""
    out = told({"name": "a", "skip_reason": "not there"}, {"name": "b", "skip_reason": "not there"})
    answer = audit_answer("pypi", out, "No known vulnerabilities found\n", asked=2)
    assert answer.words().startswith("NOT CHECKED by pip-audit (pypi): 0 of 2 looked up. 2 skipped")
    assert exit_code([answer]) == UNKNOWN


@pytest.mark.parametrize("out", ["", "Traceback", "[]", "null", told(PACKAGES[0])])
def test_no_answer_half_an_answer_and_nonsense_are_not_clean(out):
    assert exit_code([audit_answer("osv", out, "no route to host", asked=2)]) == UNKNOWN


def test_only_where_everybody_knows_every_package_it_is_clean():
    whole = audit_answer("osv", told(PACKAGES[0]), "", asked=1)
    assert exit_code([whole, npm_answer('{"vulnerabilities": {}}', "", asked=3)]) == CLEAN
    assert whole.words() == "pip-audit (osv): all 1 looked up, nothing is against them"


def test_a_withdrawn_version_is_a_finding():
    warning = 'warning: `a==1` is yanked (reason: "broken")\n'
    answer = index_answer("a==1\nb==2\n", warning, 0, asked=2)
    assert answer.weak == ('a==1 is yanked (reason: "broken")',)
    missing = index_answer("", "error: no version of b==2\n", 1, asked=2)
    assert (missing.weak, missing.is_whole, missing.problem) == ((), False, "error: no version of b==2")


def test_what_npm_says_is_read():
    answer = npm_answer('{"vulnerabilities": {"esbuild": {"severity": "high"}}}', "", asked=3)
    assert answer.weak == ("esbuild: high",)
    refused = npm_answer('{"message": "405 Method Not Allowed"}', "npm error", asked=3)
    assert (refused.is_whole, refused.problem) == (False, "405 Method Not Allowed")
