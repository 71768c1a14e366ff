// solc's standard JSON mode over npm's WebAssembly build: input on stdin, output on stdout.
// Called by the shim: node standard_json.cjs PACKAGE --standard-json [path options of the native compiler]
'use strict'

const fs = require('node:fs')
const path = require('node:path')

const [packageFolder, ...words] = process.argv.slice(2)
const roots = []

for (let i = 0; i < words.length; i++) {
  const [name, inline] = words[i].split('=', 2)
  switch (name) {
    case '--standard-json':
      break
    case '--base-path':
    case '--include-path':
      roots.push(path.resolve(inline ?? words[++i]))
      break
    case '--allow-paths':
      // Only widens what the native compiler may read; here it reads below the roots and nowhere else.
      if (inline === undefined) i++
      break
    default:
      process.stderr.write(`this solc is npm's WebAssembly build: beside --standard-json it does not take ${words[i]}\n`)
      process.exit(2)
  }
}

// A source that the JSON names but does not contain is read from the roots, as the native compiler does.
function read(name) {
  for (const root of roots) {
    const file = path.resolve(root, name)
    if (file.startsWith(root + path.sep) && fs.existsSync(file)) return { contents: fs.readFileSync(file, 'utf8') }
  }
  return { error: `File not found below: ${roots.join(', ') || 'no --base-path given'}` }
}

const compiler = require(packageFolder)
const output = compiler.compile(fs.readFileSync(0, 'utf8'), { import: read })

// writeSync may write a part only when stdout is a pipe, so go on until all is out.
let rest = Buffer.from(output, 'utf8')
while (rest.length > 0) {
  try {
    rest = rest.subarray(fs.writeSync(1, rest))
  } catch (error) {
    if (error.code !== 'EAGAIN') throw error
  }
}
