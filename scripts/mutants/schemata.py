"""Many mutants in one build, each behind a switch (mutant schemata, Untch, Offutt, Harrold 1993).

The switch is the block's coinbase, which costs two gas to read and which no contract here looks at: mutant
number n is alive on a chain whose blocks go to the address FIRST + n, and on any other chain none is.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scripts.mutants.operators import Mutant, conditions
from scripts.mutants.source import Source, Span

FIRST: Final = 1_000_000_000
# A statement that makes a name for those after it: uint256 x = ..., (bool ok,) = ...
DECLARES: Final = re.compile(
    r"[\w.]+(?:\[\])?(?: (?:storage|memory|calldata))? \w+ = |\([^=;)]*\w \w[^=;]*\) = "
)


def coinbase(number: int) -> str:
    """The address that makes mutant `number` live."""
    return f"0x{FIRST + number:040x}"


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest piece around mutants that can be written twice."""

    span: Span
    form: str


class NoUnit(Exception):
    """The mutant changes what cannot be chosen while the contract runs, as a constant or a modifier."""


def unit_of(source: Source, mutant: Mutant) -> Unit:
    """Raises NoUnit."""
    span = mutant.span
    if source.in_assembly(span.start):
        return _assembly_line(source, span)
    for condition in [*(span for span, _ in conditions(source)), *_loops(source)]:
        if _inside(span, condition):
            return Unit(condition, "expression")
    function = next((f for f in source.functions if _inside(span, f.body)), None)
    if function is None:
        raise NoUnit
    for statement in source.statements():
        if _inside(span, statement):
            return _statement(source, statement, span)
    raise NoUnit


def _statement(source: Source, statement: Span, span: Span) -> Unit:
    code = source.code[statement.start : statement.end]
    if not DECLARES.match(code):
        return Unit(statement, "statement")
    value = Span(statement.start + code.find(" = ") + 3, statement.end - 1)
    if code.startswith("(") or not _inside(span, value):
        raise NoUnit
    return Unit(value, "expression")


def _loops(source: Source) -> Iterator[Span]:
    """The condition of every `for`, and what it does after each round."""
    for match in re.finditer(r"\bfor (\()", source.code):
        _, condition, then = source.split(Span(match.end(), source.closing(match.start(1))), ";")
        yield condition
        yield then


def _assembly_line(source: Source, span: Span) -> Unit:
    start = source.code.rfind("\n", 0, span.start) + 1
    end = source.code.find("\n", span.start)
    line = Span(start + len(source.code[start:end]) - len(source.code[start:end].lstrip()), end)
    code = source.code[line.start : line.end].rstrip()
    if span.end > end or (code.startswith("if ") and not code.endswith(("{", "}"))):
        raise NoUnit
    if code.startswith("if "):
        opening = source.code.find("{", line.start)
        return Unit(source.trimmed(Span(line.start + 3, opening)), "test in assembly")
    if code.startswith("let "):
        return Unit(line, "let in assembly")
    if code.startswith(("switch", "case", "default", "for", "function", "}", "{")):
        raise NoUnit
    return Unit(line, "statement in assembly")


def _inside(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def instrument(source: Source, numbered: Mapping[int, Mutant]) -> tuple[str, list[int]]:
    """The source with these mutants behind their switches, and the numbers of those that cannot be."""
    units: dict[Span, tuple[str, list[int]]] = {}
    left: list[int] = []
    for number, mutant in numbered.items():
        try:
            unit = unit_of(source, mutant)
        except NoUnit:
            left.append(number)
        else:
            units.setdefault(unit.span, (unit.form, []))[1].append(number)
    text = _render(source, Span(0, len(source.text)), units, numbered)
    return text, left


def _render(
    source: Source, span: Span, units: Mapping[Span, tuple[str, list[int]]], mutants: Mapping[int, Mutant]
) -> str:
    within = [u for u in units if _inside(u, span) and u != span]
    outermost = sorted(
        (u for u in within if not any(_inside(u, other) and u != other for other in within)),
        key=lambda unit: unit.start,
    )
    parts, position = [], span.start
    for unit in outermost:
        parts.append(source.text[position : unit.start])
        form, numbers = units[unit]
        plain = _render(source, unit, units, mutants)
        parts.append(_choice(form, plain, [(n, _changed(source, unit, mutants[n])) for n in numbers]))
        position = unit.end
    return "".join([*parts, source.text[position : span.end]])


def _changed(source: Source, unit: Span, mutant: Mutant) -> str:
    change = mutant.span
    return source.text[unit.start : change.start] + mutant.new + source.text[change.end : unit.end]


def _choice(form: str, plain: str, others: Sequence[tuple[int, str]]) -> str:
    """Code that is `plain`, or one of the others where its switch is on."""
    chosen = plain
    match form:
        case "expression":
            for number, other in others:
                chosen = f"(block.coinbase == address({FIRST + number}) ? ({other}) : ({chosen}))"
        case "statement":
            for number, other in others:
                chosen = f"if (block.coinbase == address({FIRST + number})) {{ {other} }} else {{ {chosen} }}"
        case "test in assembly":
            for number, other in others:
                on = f"eq(coinbase(), {FIRST + number})"
                chosen = (
                    f"or(and({on}, iszero(iszero({other}))), and(iszero({on}), iszero(iszero({chosen}))))"
                )
        case "let in assembly":
            name = plain.split()[1]
            for number, other in others:
                value = other.split(":=", 1)[1].strip()
                chosen += f" if eq(coinbase(), {FIRST + number}) {{ {name} := {value} }}"
        case "statement in assembly":
            cases = " ".join(f"case {FIRST + number} {{ {other} }}" for number, other in others)
            chosen = f"switch coinbase() {cases} default {{ {plain} }}"
    return chosen


def instrument_all(
    sources: Iterable[Source], numbered: Mapping[int, Mutant]
) -> tuple[dict[str, str], list[int]]:
    """Path -> text of every source with its mutants in it, and the numbers of those that cannot be."""
    texts: dict[str, str] = {}
    left: list[int] = []
    for source in sources:
        mine = {number: mutant for number, mutant in numbered.items() if mutant.path == source.path}
        if mine:
            texts[source.path], missing = instrument(source, mine)
            left += missing
    return texts, left
