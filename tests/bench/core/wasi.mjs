// Runs the benchmark of the scanner in Node's VM: V8, as in Envoy.
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const { GAUD_BENCH_WHERE } = process.env;
const args = process.argv.slice(2);
const wasi = new WASI({ version: "preview1", args, env: { GAUD_BENCH_WHERE: GAUD_BENCH_WHERE ?? "" } });
// The filter is in the module too, with what it asks of Envoy and shows to it: nothing of that is used here.
const env = new Proxy({}, { get: () => () => 0 });
const module = await WebAssembly.compile(await readFile(process.argv[2]));
const { exports } = await WebAssembly.instantiate(module, { ...wasi.getImportObject(), env });
wasi.start({ exports: { memory: exports.memory, _start: exports._start } });
