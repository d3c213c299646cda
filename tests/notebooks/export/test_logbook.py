"""The page of all logs, made from whatever lies in the folder."""

from __future__ import annotations

import html
import re

import pytest

from experiments.notebooks.export.logbook import logbook_page, read_logs, write_logbook
from experiments.notebooks.export.record import LoggedMetric, LogRecord, with_record


def log(folder, name, **fields):
    values = {"title": "T", "experiment": name.partition(".")[0], "created": "2026-11-22T14:05:00+00:00", **fields}
    (folder / name).write_bytes(with_record(b"<title>T</title>", LogRecord(**values)))


def test_the_newest_stand_first_and_earlier_logs_are_marked(tmp_path):
    log(tmp_path, "a.html", created="2026-11-21T00:00:00+00:00")
    log(tmp_path, "b.html", created="2026-11-23T00:00:00+00:00")
    log(tmp_path, "a.2026-11-20T000000Z.html", created="2026-11-20T00:00:00+00:00")
    logs, others = read_logs(tmp_path)
    assert [(found.file, found.earlier) for found in logs] == [
        *(("b.html", False), ("a.html", False), ("a.2026-11-20T000000Z.html", True)),
    ]
    assert others == []


def test_hypothesis_verdict_and_number_stand_in_plain_html(tmp_path):
    metric = LoggedMetric(name="return per agent", value=8.1, text="8.1 [7.2, 9]")
    log(tmp_path, "a.html", hypothesis="More is more", verdict="Confirmed. By far.", key_metric=metric)
    page = logbook_page(tmp_path)
    for words in (
        "More is more",
        "✓ <strong>Confirmed</strong>",
        "By far.",
        "8.1 [7.2, 9]",
        "return per agent",
        'href="./a.html"',
    ):
        assert words in page


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", '" onclick="alert(1)', "<img src=x onerror=x>"])
def test_hostile_texts_stay_texts(tmp_path, text):
    metric = LoggedMetric(name=text, value=1, text=text)
    log(tmp_path, "a.html", title=text, hypothesis=text, verdict=text, who=text, created=text, key_metric=metric)
    page = logbook_page(tmp_path)
    assert text not in page
    assert page.count(html.escape(text)) > 4
    assert page.count("<script>") == 1


def test_a_hostile_file_name_is_one_link(tmp_path):
    (tmp_path / 'x" onmouseover="alert(1)<b>.html').write_text("foreign")
    page = logbook_page(tmp_path)
    assert 'href="./x%22%20onmouseover%3D%22alert%281%29%3Cb%3E.html"' in page
    assert "<b>" not in page


def test_damaged_and_foreign_files_are_named_and_cost_no_other(tmp_path):
    log(tmp_path, "good.html")
    (tmp_path / "damaged.html").write_bytes((tmp_path / "good.html").read_bytes()[:90])
    (tmp_path / "stock.html").write_text("<html>marimo</html>")
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "loop.html").symlink_to("loop.html")
    logs, others = read_logs(tmp_path)
    assert [found.file for found in logs] == ["good.html"]
    assert others == ["damaged.html", "folder.html", "loop.html", "stock.html"]


def test_an_empty_folder_says_what_to_do(tmp_path):
    assert "experiments export NOTEBOOK" in logbook_page(tmp_path)


def test_nothing_but_its_own_style_and_script_may_run(tmp_path):
    log(tmp_path, "a.html")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', logbook_page(tmp_path))[1]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_the_same_files_give_the_same_bytes_and_no_writing(tmp_path):
    log(tmp_path, "a.html")
    first = write_logbook(tmp_path).stat()
    assert write_logbook(tmp_path).stat().st_mtime_ns == first.st_mtime_ns


def test_a_page_of_another_origin_with_its_name_is_kept(tmp_path):
    (tmp_path / "index.html").write_text("somebody's own")
    write_logbook(tmp_path)
    write_logbook(tmp_path)
    assert [path.read_text() for path in tmp_path.glob("index.*Z.html")] == ["somebody's own"]
