"""The facts of the package against the service model of the botocore that is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore import xform_name
from client.model import Model, paginators, waiters

import hashrange
from hashrange.client import facts, shapes

MODEL = Model()
# A newer service has more than the facts; an older one has less, and that is no mistake.
IS_OURS = botocore.__version__ == facts.BOTOCORE_VERSION


def words(text: str) -> list[str]:
    return text.split()


# Everything that a request, a response or an error may hold: name, type, least length, required.
# The order counts, because boto3's messages list members in it.
@pytest.mark.parametrize("name", sorted(MODEL.structures()))
def test_a_structure_has_the_members_of_the_service_model(name: str) -> None:
    theirs = words(MODEL.structures()[name])
    ours = words(shapes.structure(name).text.replace(": ", ":"))
    if IS_OURS:
        assert ours == theirs
    assert set(theirs) <= set(ours)


def test_the_documents_name_the_version_of_the_facts() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "client.md"
    assert f"of botocore {facts.BOTOCORE_VERSION} " in page.read_text()


def test_nothing_else_is_in_the_facts() -> None:
    if IS_OURS:
        assert set(shapes.entries()) == set(MODEL.structures())
        assert set(shapes.operations()) == set(MODEL.plain_operations())
        assert words(facts.ERRORS) == MODEL.errors()
    assert set(MODEL.errors()) <= set(words(facts.ERRORS))


def test_every_structure_can_be_read() -> None:
    for name in shapes.entries():
        assert shapes.structure(name).members is not None


# Missing members are reported in the model's order.
@pytest.mark.parametrize("name", sorted(MODEL.plain_operations()))
def test_an_operation_has_a_method_and_its_structures(name: str, client: Any) -> None:
    assert shapes.operations()[name] == MODEL.plain_operations()[name]
    method = getattr(client, xform_name(name))
    assert method.__name__ == xform_name(name)
    assert client.meta.method_to_api_mapping[xform_name(name)] == name
    request = MODEL.shapes[MODEL.plain_operations()[name][0]]
    required = shapes.structure(MODEL.plain_operations()[name][0]).required
    if IS_OURS:
        assert tuple(request.get("required", ())) == required


def test_a_tables_attributes_are_those_of_its_description(db: hashrange.Database) -> None:
    table = db.resource().Table("things")
    for member in MODEL.shapes["TableDescription"]["members"]:
        assert hasattr(type(table), xform_name(member)), member


def test_paginators_are_those_of_the_service_model() -> None:
    ours = {name: tuple(pages) for name, pages in facts.PAGINATORS.items()}
    for name, pages in paginators().items():
        assert ours[name] == pages


def test_waiters_are_those_of_the_service_model() -> None:
    for name, wait in waiters().items():
        ours = facts.WAITERS[name]
        assert (*ours[:3], tuple(tuple(each) for each in ours.acceptors)) == wait


def test_names_become_methods_as_in_botocore() -> None:
    names = [*facts.WAITERS, *shapes.operations(), *shapes.structure("TableDescription").members]
    for name in names:
        assert shapes.snake_case(name) == xform_name(name)
