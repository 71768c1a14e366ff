// node execute.mjs MODULES PROGRAM INPUTS OUTPUT: the witness stack that Noir's own machine makes of the inputs.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";

const [modules, program, inputs, output] = process.argv.slice(2);
const require = createRequire(modules + "/");
const { abiEncode } = require("@noir-lang/noirc_abi");
const { compressWitnessStack, executeProgram } = require("@noir-lang/acvm_js");

const { abi, bytecode } = JSON.parse(readFileSync(program));
const solved = await executeProgram(Buffer.from(bytecode, "base64"), abiEncode(abi, JSON.parse(readFileSync(inputs))), () => {
  throw new Error("unconstrained code");
});
writeFileSync(output, compressWitnessStack(solved));
