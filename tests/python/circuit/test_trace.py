import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.equations import sides
from tests.support.integer_models import inputs_of, model_of, models
from vouch.circuit.bounds import ArgMaxBounds, LookupBounds, ReluBounds, RoundBounds
from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import Affine, ArgMax, Lookup, Op, Relu, Round, Scale
from vouch.circuit.reference import reference_values


@settings(deadline=None)
@given(data=st.data(), model=models())
def test_the_advice_is_what_the_columns_say(data: st.DataObject, model: IntegerModel) -> None:
    trace = model.trace(data.draw(inputs_of(model)))
    for columns, advice in zip(model.columns, trace.advice, strict=True):
        assert [(column.name, column.count) for column in columns] == [
            (name, len(numbers)) for name, numbers in advice.items()
        ]
        for column in columns:
            numbers = advice[column.name].tolist()
            if column.bits is None:
                assert all(abs(number) < 1 << 62 for number in numbers)
            else:
                assert all(0 <= number + column.offset < 1 << column.bits for number in numbers)
    flat = [number for advice in trace.advice for numbers in advice.values() for number in numbers.tolist()]
    assert trace.flat.tolist() == flat


@settings(deadline=None)
@given(data=st.data(), model=models())
def test_values_and_results_are_those_of_the_reference(data: st.DataObject, model: IntegerModel) -> None:
    x = data.draw(inputs_of(model))
    trace = model.trace(x)
    assert [value.tolist() for value in trace.values] == reference_values(model, x)
    assert trace.advice[0]["value"].tolist() == x
    for node, made, advice, value in zip(
        model.nodes, model.bounds, trace.advice[1:], trace.values[1:], strict=True
    ):
        match made:
            case None:
                assert list(advice) == (["y"] if isinstance(node.op, Affine) else [])
                assert all(numbers.tolist() == value.tolist() for numbers in advice.values())
            case RoundBounds() | LookupBounds():
                assert (advice["y"] - made.offset).tolist() == value.tolist()
            case ReluBounds():
                assert advice["y"].tolist() == value.tolist() == (advice["b"] * advice["m"]).tolist()
            case ArgMaxBounds(groups):
                assert advice["arg"].reshape(groups, -1)[:, -1].tolist() == value.tolist()


@settings(deadline=None)
@given(data=st.data(), model=models())
def test_the_advice_satisfies_the_equations(data: st.DataObject, model: IntegerModel) -> None:
    trace = model.trace(data.draw(inputs_of(model)))
    for node, made, advice in zip(model.nodes, model.bounds, trace.advice[1:], strict=True):
        x = trace.values[node.sources[0]].tolist()
        match made:
            case None:
                continue
            case ArgMaxBounds():
                _check_steps(made, x, {name: numbers.tolist() for name, numbers in advice.items()})
            case _:
                own = [name for name in advice if not (name == "y" and isinstance(made, ReluBounds))]
                for i, element in enumerate(x):
                    numbers = [int(advice[name][i]) for name in own]
                    assert all(left == right for left, right in sides(node.op, made, [element], numbers))


def _check_steps(made: ArgMaxBounds, x: list[int], advice: dict[str, list[int]]) -> None:
    each = len(x) // made.groups
    for group in range(made.groups):
        best, arg = x[group * each], 0
        for j in range(1, each):
            at, element = group * (each - 1) + j - 1, x[group * each + j]
            b, m = advice["b"][at], advice["m"][at]
            ((left, right),) = sides(ArgMax(made.groups), made, [best, element], [b, m])
            assert left == right
            best, arg = best + b * (element - best), arg + b * (j - arg)
            assert (best, arg) == (advice["best"][at], advice["arg"][at])


def test_advice_of_each_operation() -> None:
    affine = Affine(np.array([[1, 1], [2, -1]]), np.array([0, 100]))
    assert _advice(model_of([(affine, 0)], 2, 8, 2), [3, 4]) == {"y": [7, 102]}
    assert _advice(model_of([(Scale(2), 0)], 1, 8), [3]) == {}
    # y is at most 32 and at least -32, so 32 is added
    assert _advice(model_of([(Round(2), 0)], 2, 8, 2), [-7, 6]) == {"y": [30, 34], "r": [3, 0]}
    assert _advice(model_of([(Relu(0), 0)], 2, 8, 2), [-7, 6]) == {"b": [0, 1], "m": [121, 6], "y": [0, 6]}
    # 127 + 2 needs an eighth bit below the sign
    assert _advice(model_of([(Relu(2), 0)], 2, 8, 2), [-7, 6]) == {
        "b": [0, 1],
        "m": [62, 2],
        "r": [3, 0],
        "y": [0, 2],
    }
    clamped: list[tuple[Op, int]] = [(Scale(1, 2), 0), (Lookup(1, np.array([-5, 0, 4])), 1)]
    assert _advice(model_of(clamped, 2, 2, 2), [-1, 1]) == {
        "i": [0, 1],
        "r": [1, 1],
        "y": [3, 7],
        "q": [0, 1],
    }
    assert _advice(model_of([(ArgMax(1), 0)], 4, 4), [1, 3, 3, -8]) == {
        "b": [1, 0, 0],
        "m": [1, 15, 4],
        "best": [3, 3, 3],
        "arg": [1, 1, 1],
    }


def _advice(model: IntegerModel, x: list[int]) -> dict[str, list[int]]:
    return {name: numbers.tolist() for name, numbers in model.trace(x).advice[-1].items()}
