// node compile.mjs MODULES PROJECT OUTPUT: compiles the Noir project and writes {noir_version, abi, bytecode}.
import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";

// V8's optimising compiler takes longer than it saves up to some hundred thousand products.
setFlagsFromString("--liftoff-only");

const [modules, project, output] = process.argv.slice(2);
const { compile, createFileManager } = createRequire(modules + "/")("@noir-lang/noir_wasm");

try {
  const { program } = await compile(createFileManager(project), project, () => {});
  const { noir_version, abi, bytecode } = program;
  writeFileSync(output, JSON.stringify({ noir_version, abi, bytecode }));
} catch (error) {
  process.stderr.write(String(error?.message ?? error) + "\n");
  process.exitCode = 1;
}
