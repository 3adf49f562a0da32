from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import pkgutil
import re

import pytest

import lupus_provider
from lupus_provider import errors
from lupus_provider.errors import LupusError, Problem, Terminal, Transient, Where, did_you_mean

SAMPLES = {"str": "some known fact", "int": 7, "float": 1.5, "bool": True}
ROOMS = ("records", "metrics", "engines", "processors", "detectors", "alert", "stores", "config", "steps")


def modules():
    yield errors
    for room in ROOMS:
        package = importlib.import_module(f"lupus_provider.{room}")
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in info.name:
                yield importlib.import_module(info.name)


def error_classes():
    found = {c for m in modules() for c in vars(m).values() if inspect.isclass(c) and issubclass(c, LupusError)}
    return sorted(found - {LupusError, Terminal, Transient}, key=lambda c: c.__qualname__)


def sample(hint: str):
    if hint in SAMPLES:
        return SAMPLES[hint]
    if "Problem" in hint:
        return [Problem(Where("home.yaml", 3, 5), "key 'perod' is unknown")]
    if "Where" in hint:
        return Where("home.yaml", 3)
    if "Mapping" in hint or "dict" in hint:
        return {"one": 2}
    return ["one", "two"] if any(word in hint for word in ("Sequence", "Iterable", "list", "tuple")) else SAMPLES["str"]


def arguments(kind):
    """One argument for every parameter, by its annotation, which is a text everywhere in Lupus."""
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    return {parameter.name: sample(str(parameter.annotation)) for parameter in parameters}


@pytest.mark.parametrize("kind", error_classes(), ids=lambda c: c.__name__)
def test_every_error_survives_a_process_border_with_its_facts(kind):
    given = arguments(kind)
    backwards = dict(reversed(given.items()))  # named arguments may come in any order
    for error in (kind(*given.values()), kind(**given), kind(**backwards)):
        for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
            assert type(again) is kind
            assert str(again) == str(error) == str(kind(**given))
            assert {k: v for k, v in vars(again).items() if k != "_made_of"} == {
                k: v for k, v in vars(error).items() if k != "_made_of"
            }


@pytest.mark.parametrize("kind", error_classes(), ids=lambda c: c.__name__)
def test_every_error_is_terminal_or_transient_and_keeps_its_facts_as_fields(kind):
    assert issubclass(kind, Terminal) != issubclass(kind, Transient)
    assert kind.__name__.endswith("Error")
    assert kind.__doc__
    error = kind(**arguments(kind))
    assert all(hasattr(error, name) for name in arguments(kind))


@pytest.mark.parametrize("kind", error_classes(), ids=lambda c: c.__name__)
def test_every_message_is_made_of_whole_sentences_about_the_facts(kind):
    given = arguments(kind)
    said = str(kind(**given))
    assert len(said.split()) >= 4
    assert not re.search(r"\b[Pp]lease\b|\.\. | \.|  ", said), said
    for value in given.values():
        first = next(iter(value)) if isinstance(value, (list, dict)) else value
        assert str(first) in said or f"{first:.0f}" in said


def test_a_place_counts_from_one_and_leaves_out_what_it_does_not_know():
    assert str(Where("a.yaml", 14, 3)) == "a.yaml:14:3"
    assert str(Where("a.yaml")) == "a.yaml"
    assert str(Problem(Where("a.yaml", 14), "key 'perod' is unknown")) == "a.yaml:14: key 'perod' is unknown"


def test_a_word_is_suggested_only_if_it_is_near():
    assert did_you_mean("perod", ["period", "schedule"]) == "Did you mean 'period'? "
    assert did_you_mean("xyz", ["period"]) == ""


def test_an_unknown_name_says_what_is_known_without_the_quotes_of_key_error():
    assert (
        str(errors.UnknownNameError("metric", "agv", ["avg", "sum"]))
        == "metric 'agv' is unknown. Did you mean 'avg'? Known: avg, sum."
    )


def test_a_long_list_of_problems_is_cut_and_says_so():
    said = str(errors.ProjectFileError([Problem(Where("a.yaml", i), "wrong") for i in range(1, 26)]))
    assert len(said.splitlines()) == 21
    assert said.endswith("… and 5 more.")


def test_the_package_root_is_found():
    assert lupus_provider.__version__
