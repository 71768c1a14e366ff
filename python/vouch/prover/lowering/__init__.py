"""ONNX graphs become integer models.

`read` takes a file apart, `translate` writes it in the few operations of `network`, `simplify` merges them,
`emit` chooses whole numbers for them, and `quantise` finds out how few bits are enough.
"""
