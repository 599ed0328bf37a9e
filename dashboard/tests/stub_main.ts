// The stub hub as a program, to look at the page while working on it.
import { StubHub } from "./stub.ts";

const stub = new StubHub();
console.log(await stub.Start(Number(process.argv[2] ?? 0)));
