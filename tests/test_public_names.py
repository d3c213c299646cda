from __future__ import annotations

import experiments


def test_public_names_are_sorted_and_all_of_them_load():
    assert experiments.__all__ == sorted(experiments.__all__)
    for name in experiments.__all__:
        assert getattr(experiments, name) is not None
    assert sorted(experiments._HOME) == experiments.__all__
