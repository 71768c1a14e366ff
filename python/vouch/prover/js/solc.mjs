// node solc.mjs MODULES INPUT OUTPUT: Solidity's standard JSON from one file to the other.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setFlagsFromString } from "node:v8";

// V8's optimising compiler takes longer than it saves on one contract.
setFlagsFromString("--liftoff-only");

const [modules, input, output] = process.argv.slice(2);
const solc = createRequire(`${modules}/`)("solc");
writeFileSync(output, solc.compile(readFileSync(input, "utf8")));
