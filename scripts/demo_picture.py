"""Draw what `vouch demo` prints as docs/demo.svg: .venv/bin/python -m scripts.demo_picture"""

import io
import os
import subprocess
import sys

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from scripts.toolchain import paths
from scripts.toolchain.env import environment

PICTURE = paths.ROOT / "docs" / "demo.svg"
WIDTH = 132
FIRST, LAST = "An account asks", "Next"

# rich's own frame, without its web fonts: the picture must not load anything.
FRAME = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<title>vouch demo</title>
<style>
.{unique_id}-matrix {{
font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: {char_height}px;
line-height: {line_height}px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>{lines}</defs>
<rect fill="#1d1f21" x="1" y="1" width="{terminal_width}" height="{height}" rx="8"/>
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g></svg>
"""


def main() -> int:
    colours = {"FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    demo = subprocess.run(
        [str(paths.VENV / "bin" / "vouch"), "demo"],
        cwd=paths.ROOT,
        env=environment() | colours,
        capture_output=True,
        text=True,
        check=False,
    )
    if demo.returncode != 0:
        print(demo.stdout + demo.stderr, file=sys.stderr)
        return 1
    text = Text.from_ansi(demo.stdout)
    plain = text.plain
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ scripts/demo\n"))
    console.print(text[plain.index(FIRST) : plain.index(f"\n{LAST}")])
    PICTURE.parent.mkdir(exist_ok=True)
    drawn = console.export_svg(title="vouch demo", theme=MONOKAI, code_format=FRAME, unique_id="demo")
    PICTURE.write_text("\n".join(line.rstrip() for line in drawn.splitlines()) + os.linesep)
    print(f"wrote {PICTURE.relative_to(paths.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
