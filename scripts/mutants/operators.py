"""What can be broken: each operator yields changes of one source, none of which the tests may let pass."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from scripts.mutants.source import Source, Span

Key = tuple[str, str, str, str, int]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one file."""

    kind: str
    path: str
    line: int
    function: str
    span: Span
    new: str
    # The lines of the change as they were and as they are, on one line each.
    was: str
    becomes: str

    # Counts, from one, those of a function that look the same.
    nth: int

    @property
    def key(self) -> Key:
        """What stays the same when lines move."""
        return self.path, self.function, self.was, self.becomes, self.nth

    def apply(self, text: str) -> str:
        return text[: self.span.start] + self.new + text[self.span.end :]

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}"
        return f"{where} {self.kind} {self.function}: {self.was}  ->  {self.becomes or '(nothing)'}"


Change = tuple[Span, str]
Operator = Callable[[Source], Iterable[Change]]

CONDITION: Final = re.compile(r"\bif (\()")
ENDS: Final = re.compile(r"\s*(?:\{\s*)?(?:revert|_revert\w*|return|continue)\b")
REQUIRE: Final = re.compile(r"\brequire(\()")
RETURN: Final = re.compile(r"\breturn ([^;]*);")
MODIFIER: Final = re.compile(r" (?:nonReentrant|onlyOwner)\b")
CONSTANT: Final = re.compile(r"\bconstant \w+\s*=\s*(0x[0-9a-fA-F]+|[\d_]+(?: \* [\d_]+)?(?: days)?);")
KEPT: Final = re.compile(
    r"(?:return|revert|for|else|emit|using|unchecked|assembly|import)\b"
    r"|\([^=;]*\)\s*=[^=]"  # (bool ok,) = ...
    r"|[\w.]+(?:\[\])?(?: (?:storage|memory|calldata))? \w+\s*[=;]"  # a declaration
)
# A name alone before a question mark; a comparison there has operators of its own.
NAMED: Final = re.compile(r"(?:(?<=\()|(?<=[^=!<>]= ))\w+(?= \? )")
BOUNDARIES: Final = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
EQUALITIES: Final = {"==": "!=", "!=": "=="}
ARITHMETIC: Final = {"+": "-", "-": "+", "+=": "-=", "-=": "+="}
BITS: Final = {"|": "&", "&": "|", "<<": ">>", ">>": "<<"}
BOOLEANS: Final = {"true": "false", "false": "true"}
BOUNDARIES_IN_ASSEMBLY: Final = {"lt": "iszero(gt", "gt": "iszero(lt"}


def conditions(source: Source) -> Iterator[tuple[Span, bool]]:
    """What is in the brackets of every `if`, and whether the function (or the round) ends there."""
    for match in CONDITION.finditer(source.code):
        end = source.closing(match.start(1))
        yield Span(match.end(), end), ENDS.match(source.code, end + 1) is not None


def guards(source: Source) -> Iterator[Change]:
    """`if (...) revert`, `return` and `continue` that never happen, and `require` that always holds."""
    for span, ends in conditions(source):
        if ends:
            yield span, "false"
    for match in REQUIRE.finditer(source.code):
        inside = Span(match.end(), source.closing(match.start(1)))
        yield source.split(inside, ",")[0], "true"


def modifiers(source: Source) -> Iterator[Change]:
    for function in source.functions:
        for match in MODIFIER.finditer(source.code, function.header.start, function.header.end):
            yield Span(*match.span()), ""


def infix(words: dict[str, str]) -> Operator:
    """Every spaced operator of `words`, replaced."""
    pattern = re.compile(f"(?<= )(?:{'|'.join(re.escape(word) for word in words)})(?= )")

    def changes(source: Source) -> Iterator[Change]:
        for match in pattern.finditer(source.code):
            if source.function_at(match.start()):
                yield Span(*match.span()), words[match[0]]

    return changes


def writes(source: Source) -> Iterator[Change]:
    """Statements left out: what is stored, called or computed, but not declarations."""
    for span in source.statements():
        code = source.code[span.start : span.end]
        if code.startswith("if ("):
            end = source.closing(span.start + 3)
            if not ENDS.match(source.code, end + 1):
                yield span, ""
        elif not KEPT.match(code):
            yield span, ""


def emits(source: Source) -> Iterator[Change]:
    for span in source.statements():
        if source.code.startswith("emit ", span.start):
            yield span, ""


def constants(source: Source) -> Iterator[Change]:
    """Numbers one more and one less."""
    for match in CONSTANT.finditer(source.code):
        yield Span(*match.span(1)), f"{match[1]} + 1"
        yield Span(*match.span(1)), f"{match[1]} - 1"


def booleans(source: Source) -> Iterator[Change]:
    for match in re.finditer(r"\b(?:true|false)\b", source.code):
        if source.function_at(match.start()):
            yield Span(*match.span()), BOOLEANS[match[0]]


def operands(source: Source) -> Iterator[Change]:
    """One side of every `||` and `&&`, as if the other were not there; and names before `?` negated."""
    spans = [span for span, _ in conditions(source)]
    spans += [Span(*match.span(1)) for match in RETURN.finditer(source.code)]
    for span in spans:
        for separator in ("||", "&&"):
            parts = source.split(span, separator)
            for part in parts if len(parts) > 1 else ():
                yield span, f" {separator} ".join(source.text[p.start : p.end] for p in parts if p != part)
    for match in NAMED.finditer(source.code):
        yield Span(*match.span()), f"!{match[0]}"


def in_assembly(source: Source) -> Iterator[Change]:
    """In assembly: statements left out, tests that always hold, boundaries moved, one side of `or`, `and`."""
    for block in source.assembly:
        for match in re.compile(r"^ *(\S.*\))$", re.MULTILINE).finditer(source.code, block.start, block.end):
            if not match[1].startswith(("let ", "if ")):
                yield Span(*match.span(1)), ""
        for match in re.compile(r"\b(iszero|lt|gt|or|and)(\()").finditer(source.code, block.start, block.end):
            end = source.closing(match.start(2))
            whole, inside = Span(match.start(), end + 1), Span(match.end(), end)
            arguments = source.text[inside.start : inside.end]
            if match[1] == "iszero":
                yield whole, f"not({arguments})"
            elif match[1] in BOUNDARIES_IN_ASSEMBLY:
                yield whole, f"{BOUNDARIES_IN_ASSEMBLY[match[1]]}({arguments}))"
            else:
                for part in source.split(inside, ","):
                    yield whole, source.text[part.start : part.end]


# In the order in which they are tried.
OPERATORS: Final[dict[str, Operator]] = {
    "guard": guards,
    "modifier": modifiers,
    "boundary": infix(BOUNDARIES),
    "write": writes,
    "emit": emits,
    "constant": constants,
    "operand": operands,
    "boolean": booleans,
    "assembly": in_assembly,
    "arithmetic": infix(ARITHMETIC),
    "bits": infix(BITS),
    "equality": infix(EQUALITIES),
}


def one_line(text: str) -> str:
    return " ".join(text.split())


def mutants(sources: Iterable[Source]) -> list[Mutant]:
    """All changes of all sources, each once, kind by kind."""
    found: dict[tuple[str, Span, str], Mutant] = {}
    alike: Counter[tuple[str, str, str, str]] = Counter()
    all_sources = list(sources)
    for kind, operator in OPERATORS.items():
        for source in all_sources:
            for span, new in operator(source):
                if (source.path, span, new) in found:
                    continue
                first = source.text.rfind("\n", 0, span.start) + 1
                last = source.text.find("\n", span.end)
                was = one_line(source.text[first:last])
                becomes = one_line(source.text[first : span.start] + new + source.text[span.end : last])
                function = source.function_at(span.start)
                looks = (source.path, function, was, becomes)
                alike[looks] += 1
                found[source.path, span, new] = Mutant(
                    kind,
                    source.path,
                    source.line(span.start),
                    function,
                    span,
                    new,
                    was,
                    becomes,
                    alike[looks],
                )
    return list(found.values())
