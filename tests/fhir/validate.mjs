// Holds exports in FHIR against the published JSON schema of FHIR R4: node validate.mjs SAMPLE_PROGRAM NODE_MODULES
import {execFileSync} from "node:child_process";
import {createRequire} from "node:module";

const [program, modules] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const Validator = require("@asymmetrik/fhir-json-schema-validator");
const validator = new Validator();

let failed = false;
const check = (name, good, why) => {
  if (good) return;
  failed = true;
  console.error(`${name}: ${why}`);
};

// The schema's Bundle says little of what is inside an entry: each resource is checked for itself too.
const faultsOf = (resource) => validator.validate(resource);
for (const which of ["plain", "pseudonymous", "empty"]) {
  const bundle = JSON.parse(execFileSync(program, [which], {maxBuffer: 1 << 28}).toString());
  const resources = [bundle, ...(bundle.entry ?? []).map((entry) => entry.resource)];
  check(which, which === "empty" || resources.length > 5, "there is little in it");
  for (const resource of resources) {
    const faults = faultsOf(resource);
    check(which, faults.length === 0, `${JSON.stringify(resource).slice(0, 400)}\n${JSON.stringify(faults.slice(0, 3))}`);
  }
}

// A validator that takes everything would prove nothing.
const wrong = {resourceType: "Observation", status: "perhaps", code: {text: "x"}};
check("proof", faultsOf(wrong).length > 0, "a wrong Observation was taken");
check("proof", faultsOf({resourceType: "Observation", status: "final"}).length > 0, "one without a code was taken");
if (!failed) console.log("every resource fits the schema of FHIR R4");
process.exit(failed ? 1 : 0);
