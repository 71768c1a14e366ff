"""Zero-knowledge proofs of what a model gave."""
