// What the official parser of AsyncAPI says of the document on stdin: a line for each problem, then its version and messages.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const { Parser } = createRequire(process.argv[2] + "/")("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync(0, "utf8"));
const worst = diagnostics.filter((one) => one.severity <= 1);
console.log(JSON.stringify({
  problems: worst.map((one) => `${one.path.join(".")}: ${one.message}`),
  version: document?.version(),
  messages: document?.allMessages().all().map((one) => one.name()),
  operations: document?.allOperations().all().map((one) => one.id()),
}));
