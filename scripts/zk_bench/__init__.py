"""What scripts/bench zk measures: our own proofs, the least a proof can cost here, and other provers."""
