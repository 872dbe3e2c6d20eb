"""The parameters of lists about the datasets that sessions come from, which the API calls tests."""

from __future__ import annotations

from galtea_async.emulator.queries import none_of, one_of

__all__ = ["OF_DATASETS"]

_DATASET = "coalesce((SELECT test_id FROM test_cases WHERE test_cases.id = test_case_id), '')"

OF_DATASETS = (
    one_of("testIds", _DATASET, about="Its dataset is one of these; an empty text stands for no dataset"),
    none_of(
        "excludeTestIds", _DATASET, about="Its dataset is none of these; an empty text stands for no dataset"
    ),
)
"""What keeps and what leaves out rows that have a test case, or none."""
