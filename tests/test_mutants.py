"""What `make mutants` breaks: the kept list fits the scripts, and the defects of Python are what they are said to be."""

from __future__ import annotations

import ast

import pytest

from tests.mutants import python, scripts

CODE = '''
MOST: int = 5


class Held(Value):
    """Not more than five."""

    names: Annotated[str, Field(max_length=9)] = ""

    @field_validator("names")
    def _clean(cls, value: int | str) -> str:
        if not value:
            raise ValueError("one -> two")
        return value


def rule(row):
    return first(row) or second(row) or third(row)


def place(row):
    _log.info("placed")
    return Place(row.id, lane=row.lane)
'''


def test_every_line_of_the_kept_list_stands_in_its_script():
    assert [each.name for each in scripts.MUTANTS if each.line not in (python.ROOT / each.path).read_text()] == []


def test_every_reason_is_one_for_a_mutant_that_can_still_be_written():
    assert scripts.WHY.keys() <= {each.key for each in scripts.MUTANTS}
    assert python.WHY.keys() <= {each.key for each in python.all_mutants()}


@pytest.mark.parametrize(
    "change",
    [
        "5 -> 50",
        "9 -> 10",
        "field_validator('names') -> staticmethod",
        "not value -> False",
        'raise ValueError("one -> two") -> pass',
        "return value -> return None",
        "first(row) or second(row) or third(row) -> first(row) or third(row)",
        "first(row) or second(row) or third(row) -> first(row) and second(row) and third(row)",
        "without lane=row.lane",
    ],
)
def test_a_defect_of_python_is_written_where_it_belongs(change):
    assert change.replace("'", '"') in [each.change.replace("'", '"') for each in python.mutants_of("code.py", CODE)]


def test_what_is_only_said_or_typed_or_logged_is_left_alone():
    changed = [each.line for each in python.mutants_of("code.py", CODE)]
    assert not [line for line in changed if line.startswith(("_log", '"""', "def "))]


def test_every_defect_leaves_what_python_can_read():
    mutants = python.all_mutants()
    for each in mutants[:: len(mutants) // 100]:
        ast.parse(each.text((python.ROOT / each.path).read_text()))
