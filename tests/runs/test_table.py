"""Rows as columns, read many at once and one by one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.project.files import parse_json
from experiments.runs.wandb_file import batches as vector
from experiments.runs.wandb_file import records
from experiments.runs.wandb_file.facts import RunFacts
from experiments.runs.wandb_file.table import HistoryTable
from tests.fakes import wandb_files as fake

NAMES = st.sampled_from(["a", "b", "a.b", "env/reward", "x.y", "ü", "k" * 40, "long" * 60])
SCALARS = st.one_of(
    st.floats(),
    st.integers(-(2**70), 2**70),
    st.booleans(),
    st.none(),
    st.text(max_size=200),
    st.lists(st.integers(), max_size=3),
)
VALUES = st.one_of(SCALARS, st.dictionaries(NAMES, SCALARS, max_size=2))
ROWS = st.lists(st.dictionaries(NAMES, VALUES, max_size=5), max_size=40)


def read(batch, *, many):
    table, keys = HistoryTable(), vector.KeyTable()
    if many and batch:
        items = vector.split_items(batch)
        keys.number(items)
        table.take(batch, items, keys)
    else:
        table.take(batch)
    return table


def contents(table):
    columns = {}
    for name, column in table.columns.items():
        values, _ = column.dense(table.rows)
        columns[name] = [None if isinstance(one, float) and math.isnan(one) else one for one in values.tolist()]
    return table.rows, table.first_step, table.last_step, table.undecodable, columns


@settings(max_examples=150, deadline=None)
@given(ROWS, st.integers(0, 5))
def test_many_at_once_reads_what_one_by_one_reads(rows, start):
    batch = [fake.history({**row, "_step": start + n} if n % 7 else row, start + n) for n, row in enumerate(rows)]
    assert contents(read(batch, many=True)) == contents(read(batch, many=False))


@settings(max_examples=150, deadline=None)
@given(ROWS, st.booleans())
def test_an_object_reads_as_the_items_that_later_versions_write(rows, many):
    numbered = [{**row, "_step": n} for n, row in enumerate(rows)]
    items = [fake.history(row, n) for n, row in enumerate(numbered)]
    objects = [fake.history_with_objects(row, n) for n, row in enumerate(numbered)]
    assert contents(read(objects, many=many)) == contents(read(items, many=False))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=40), st.booleans())
def test_every_step_that_int64_holds_is_exact(steps, many):
    table = read([fake.history({"_step": step, "a": 1.0}, 0) for step in steps], many=many)
    assert table.steps_since(0) == table.columns["_step"].dense(table.rows)[0].tolist() == steps
    assert table.since(0, ["a"]) == {"a": [(step, 1.0) for step in steps]}
    assert table.first_number("_step") == steps[0]


@pytest.mark.parametrize("many", [True, False])
@pytest.mark.parametrize("rows", [[{"a.b": 1.0, "a": {"b": 2.0}}] * 30, [{"a.b": 1.0}] * 30 + [{"a": {"b": 2.0}}] * 30])
def test_two_paths_of_one_name_are_two_columns(rows, many):
    table = read([fake.history(row, n) for n, row in enumerate(rows)], many=many)
    assert set(table.columns["a\\.b"].sparse()[1]) == {1.0}
    assert set(table.columns["a.b"].sparse()[1]) == {2.0}
    assert len(table.columns["a\\.b"]) == len(table.columns["a.b"]) == 30
    assert sorted(table.columns) == ["_step", "a.b", "a\\.b"]


def test_a_dotted_key_alone_keeps_its_name():
    assert sorted(read([fake.history({"x.y": 1}, 0)], many=False).columns) == ["_step", "x.y"]


@settings(max_examples=150, deadline=None)
@given(ROWS, st.lists(st.tuples(st.integers(0, 40), NAMES), max_size=3))
def test_the_summary_is_the_same_many_at_once_a_few_at_once_and_one_by_one(rows, removals):
    batch = [fake.summary(row, [[name] for at, name in removals if at == n]) for n, row in enumerate(rows)]
    one_by_one, few, at_once, keys = RunFacts(), RunFacts(), RunFacts(), vector.KeyTable()
    for record in batch:
        one_by_one.take(record)
    few.take_few_summaries(batch)
    if batch:
        items = vector.split_items(batch)
        keys.number(items)
        at_once.take_summaries(batch, items, keys)
    assert repr(sorted(at_once.summary.items())) == repr(sorted(one_by_one.summary.items()))
    assert repr(sorted(few.summary.items())) == repr(sorted(one_by_one.summary.items()))


def test_of_a_few_summaries_only_the_last_value_of_each_key_is_parsed(monkeypatch):
    parsed = []
    monkeypatch.setattr(records, "parse_json", lambda text: (parsed.append(text), parse_json(text))[1])
    facts = RunFacts()
    facts.take_few_summaries([fake.summary({"loss": n, "nest": {"a": -n}}) for n in range(10)])
    assert (facts.summary, len(parsed)) == ({"loss": 9, "nest.a": -9}, 2)


@pytest.mark.parametrize(
    "item",
    [
        fake.item("k" * 200, 7),
        fake.item("k", 7, keyed=True),
        fake.field(16, b"7") + fake.field(2, "k"),
        fake.field(2, "k") + fake.field(16, b"7") + fake.field(2, "more"),
        fake.field(2, "k") + fake.field(7, "seven"),
        fake.field(2, "k") + fake.field(16, b"{"),
        b"\x12",
        b"",
    ],
)
def test_an_item_of_another_form_is_read_among_a_few_as_by_itself(item):
    batch = [fake.summary({"k": 1}), fake.record(3, fake.field(1, item)), fake.summary({"other": 2})]
    one_by_one, few = RunFacts(), RunFacts()
    for record in batch:
        one_by_one.take(record)
    few.take_few_summaries(batch)
    assert (few.summary, few.undecodable) == (one_by_one.summary, one_by_one.undecodable)


def test_typed_items_without_json_are_read():
    typed = [
        fake.field(2, "flag") + fake.field(4, 1),
        fake.field(2, "count") + fake.field(5, 7),  # sint64: 7 is -4
        fake.field(2, "loss") + fake.field(6, 0.5),
        fake.field(2, "text") + fake.field(7, "hello"),
        fake.field(2, "tree") + fake.field(8, '{"x": 1}'),
        fake.field(2, "nothing") + fake.field(3, 1),
    ]
    record = fake.record(2, b"".join(fake.field(1, one) for one in typed) + fake.field(2, fake.field(1, 3)))
    for many in (True, False):
        rows, first, _, bad, columns = contents(read([record] * 30, many=many))
        assert (rows, first, bad) == (30, 3, 0)
        assert {name: values[0] for name, values in columns.items()} == {
            "_step": 3, "flag": True, "count": -4, "loss": 0.5, "text": "hello", "tree.x": 1, "nothing": None,
        }  # fmt: skip


def test_an_item_with_both_encodings_is_read_once():
    both = fake.field(2, "loss") + fake.field(6, 0.5) + fake.field(16, "0.5")
    table = read([fake.record(2, fake.field(1, both))] * 30, many=True)
    assert table.columns["loss"].dense(30)[0].tolist() == [0.5] * 30


@pytest.mark.parametrize(
    "bad",
    [
        fake.record(2, fake.field(1, fake.item("a", 0, raw=b"{"))),
        fake.record(2, fake.field(1, fake.field(16, "1"))),
        fake.record(2, fake.field(1, fake.field(2, b"\xff\xfe") + fake.field(16, "1"))),
        fake.record(2, b"\x0a\xff\xff\xff\x01"),
        fake.record(2, fake.field(1, fake.item("a", 0, raw=b"[" * 5000))),
    ],
)
def test_a_record_that_is_not_understood_costs_only_itself(bad):
    good = [fake.history({"a": n, "_step": n}) for n in range(30)]
    for many in (True, False):
        table = read([*good[:20], bad, *good[20:]], many=many)
        assert (table.rows, table.undecodable) == (30, 1)
        assert table.columns["a"].dense(30)[0].tolist() == list(range(30))


def test_a_thousand_sparse_keys_stay_sparse():
    batch = [fake.history({f"k{n}": n, "_step": n}) for n in range(1000)]
    table = read(batch, many=True)
    assert [len(column) for name, column in table.columns.items() if name != "_step"] == [1] * 1000
    assert table.since(999, ["k999", "k0", "none"]) == {"k999": [(999, 999.0)], "k0": [], "none": []}
