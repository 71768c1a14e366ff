"""Integer models: what a circuit proves, run exactly by NumPy. Knows neither ONNX nor Noir nor a chain.

A value is a flat int64 vector. Inputs and outputs are the fixed-point words of `vouch.protocol.codec`.
"""
