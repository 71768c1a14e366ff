"""The prover service: takes claims over HTTP, proves them one after the other, keeps the seals."""
