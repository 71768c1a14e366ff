"""Figures and outside test vectors of contracts/attestation/P384.sol."""
