// OpenZeppelin's own trees, one per line: reads ["0x…", …] (32 bytes each), answers {root, proofs}.
const { createInterface } = require("node:readline");
const { StandardMerkleTree } = require("@openzeppelin/merkle-tree");

createInterface({ input: process.stdin }).on("line", (line) => {
  const tree = StandardMerkleTree.of(JSON.parse(line).map((value) => [value]), ["bytes32"]);
  const proofs = Array.from(tree.entries(), ([index]) => tree.getProof(index));
  console.log(JSON.stringify({ root: tree.root, proofs }));
});
