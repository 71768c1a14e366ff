"""A small executable over npm's solc (WebAssembly), for machines where no native compiler can be had.

It answers `--version` at once, without loading the compiler, and takes `--standard-json` from stdin: the
two things py-solc-x, ape and forge ask for. It refuses the rest, because half an answer would be worse.
"""

import shlex
from pathlib import Path

from scripts.toolchain.progress import SetupError, run

STANDARD_JSON = Path(__file__).with_name("standard_json.cjs")

TEMPLATE = """\
#!/bin/sh
# solc {version}: npm's WebAssembly build. Written by scripts/toolchain/shim.py.
case "${{1:-}}" in
  --version)
    echo "solc, the solidity compiler commandline interface"
    echo "Version: {version}"
    exit 0
    ;;
esac
for word in "$@"; do
  if [ "$word" = "--standard-json" ]; then
    exec {node} {script} {package} "$@"
  fi
done
echo "this solc is npm's WebAssembly build: use --version, or --standard-json with the input on stdin" >&2
exit 2
"""


def write(path: Path, *, node: Path, package: Path, expected: str) -> None:
    """Write the executable for npm's `package` (node_modules/solc) to `path`.

    Raises:
        SetupError: the package holds another compiler than `expected` (for example "0.8.37").
    """
    ask = "process.stdout.write(require(process.argv[1]).version())"
    version = run([node, "-e", ask, package])
    if not version.startswith(f"{expected}+commit."):
        raise SetupError(
            f"npm's solc is {version}, package.json should pin {expected}: correct it and run again"
        )
    text = TEMPLATE.format(
        version=version,
        node=shlex.quote(str(node)),
        script=shlex.quote(str(STANDARD_JSON)),
        package=shlex.quote(str(package)),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.chmod(0o755)
    fresh.replace(path)
