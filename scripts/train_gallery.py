"""Trains the gallery's models from fixed seeds and writes them as ONNX.

    python -m scripts.train_gallery [--output python/vouch/models] [NAME ...]

risk_mlp         "x" FP32 [N, 10] → "risk" FP32 [N, 1]: probability that a loan defaults; 10,465 parameters.
credit_logistic  the same question, answered by a logistic regression.
digits_cnn       "image" FP32 [N, 1, 16, 16], pixels 0 to 16 → "logits" FP32 [N, 10].
digits_class     the same network → "digit" INT64 [N, 1].

scripts/train_risk.py makes the gallery's fifth model, risk.onnx.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from scripts.gallery.models import FOLDER, GALLERY, answers, decisions


def main() -> None:
    trained = {name: entry for name, entry in GALLERY.items() if entry.make is not None}
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--output", type=Path, default=FOLDER, help="folder to write to (default: %(default)s)"
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(trained)} (default: all)")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in trained]
    if unknown:
        parser.error(f"no such model: {', '.join(unknown)}; there are {', '.join(trained)}")
    for name in options.names or trained:
        entry = trained[name]
        assert entry.make is not None
        model, unseen = entry.make(), entry.unseen()
        data = model.SerializeToString(deterministic=True)
        path = options.output / entry.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        right = (decisions(answers(model, unseen.inputs)) == unseen.labels).mean()
        print(f"{path}: {len(data)} bytes, accuracy {right:.4f} on {len(unseen.labels)} unseen rows")


if __name__ == "__main__":
    main()
