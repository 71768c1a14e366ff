"""Measurements: python -m scripts.benchmarks gas [--check] | latency [...] | zk [...]"""

import importlib
import sys

BENCHES = {"gas": "scripts.bench_gas", "latency": "scripts.bench_latency", "zk": "scripts.bench_zk"}


def main(words: list[str]) -> int:
    if not words or words[0] not in BENCHES:
        names = "|".join(BENCHES)
        print(f"usage: scripts/bench {names} [options]; scripts/bench {names} --help", file=sys.stderr)
        return 2
    result: int = importlib.import_module(BENCHES[words[0]]).main(words[1:])
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
