// Names every check, counts what passed, and goes on after a failure.
import assert from "node:assert/strict";

let passed = 0;
const failures = [];

export async function check(promise, run) {
  try {
    await run();
    passed += 1;
    console.log(`ok      ${promise}`);
  } catch (error) {
    failures.push(promise);
    console.log(`FAILED  ${promise}\n        ${String(error.message).split("\n").slice(0, 12).join("\n        ")}`);
  }
}

export function finish() {
  console.log(`${passed} passed, ${failures.length} failed`);
  return failures.length === 0 && passed > 0 ? 0 : 1;
}

export { assert };
