"""Just enough reading of Solidity to change it: where code is, its functions, statements and brackets.

Not a parser: it knows the style that `forge fmt` leaves behind, which this project's sources are in.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

SPACED: Final = re.compile(r"//[^\n]*|/\*.*?\*/|\"[^\"\n]*\"", re.DOTALL)
FUNCTION: Final = re.compile(r"\b(?:function\s+(\w+)|(constructor))\s*\(")
ASSEMBLY: Final = re.compile(r"\bassembly\s*(?:\([^)]*\))?\s*\{")
PAIRS: Final = {"(": ")", "{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` up to but not including `end` of a source."""

    start: int
    end: int

    def __contains__(self, position: int) -> bool:
        return self.start <= position < self.end


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    # From `function` to the opening brace, and what is between the braces.
    header: Span
    body: Span


@dataclass(frozen=True)
class Source:
    """One file; `path` is relative to the checkout."""

    path: str
    text: str

    @cached_property
    def code(self) -> str:
        """The text with comments and what is in quotes blanked, character by character."""
        return SPACED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), self.text)

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Those that have a body."""
        found = []
        for match in FUNCTION.finditer(self.code):
            end = re.compile(r"[{;]").search(self.code, self.closing(match.end() - 1))
            if end is not None and end[0] == "{":
                body = Span(end.start() + 1, self.closing(end.start()))
                found.append(Function(match[1] or match[2], Span(match.start(), end.start()), body))
        return tuple(found)

    @cached_property
    def assembly(self) -> tuple[Span, ...]:
        """The insides of all assembly blocks."""
        return tuple(
            Span(match.end(), self.closing(match.end() - 1)) for match in ASSEMBLY.finditer(self.code)
        )

    def in_assembly(self, position: int) -> bool:
        return any(position in span for span in self.assembly)

    def function_at(self, position: int) -> str:
        """Name of the function around it; empty outside of functions."""
        for function in self.functions:
            if position in function.header or position in function.body:
                return function.name
        return ""

    def line(self, position: int) -> int:
        """Counted from one."""
        return self.text.count("\n", 0, position) + 1

    def closing(self, opening: int) -> int:
        """Where the bracket that opens at `opening` closes."""
        opens, closes, depth = self.code[opening], PAIRS[self.code[opening]], 0
        for position in range(opening, len(self.code)):
            depth += (self.code[position] == opens) - (self.code[position] == closes)
            if depth == 0:
                return position
        raise ValueError(f"{self.path}:{self.line(opening)}: {opens} is never closed")

    def statements(self) -> Iterator[Span]:
        """Every statement of every function that ends in a semicolon, without assembly.

        That of `if (...) x;` is the whole; of a block each statement inside.
        """
        for function in self.functions:
            start = position = function.body.start
            while position < function.body.end:
                char = self.code[position]
                if char in "([" or (char == "{" and self.code[position - 1] not in " \n"):
                    position = self.closing(position)  # brackets, and options of a call: f{value: 1}()
                elif char in "{}":
                    if self.in_assembly(position + 1):
                        position = self.closing(position)
                    start = position + 1
                elif char == ";":
                    yield self.trimmed(Span(start, position + 1))
                    start = position + 1
                position += 1

    def trimmed(self, span: Span) -> Span:
        """Without the blanks (and comments) around it."""
        inside = self.code[span.start : span.end]
        return Span(
            span.start + len(inside) - len(inside.lstrip()), span.end - (len(inside) - len(inside.rstrip()))
        )

    def split(self, span: Span, separator: str) -> list[Span]:
        """The parts between `separator` where no bracket is open."""
        parts, start, position = [], span.start, span.start
        while position < span.end:
            if self.code[position] in "([{":
                position = self.closing(position)
            elif self.code.startswith(separator, position):
                parts.append(self.trimmed(Span(start, position)))
                start = position + len(separator)
                position = start - 1
            position += 1
        return [*parts, self.trimmed(Span(start, span.end))]
