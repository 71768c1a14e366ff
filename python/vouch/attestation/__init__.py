"""Attestation documents of enclaves and what their signatures need on chain."""
