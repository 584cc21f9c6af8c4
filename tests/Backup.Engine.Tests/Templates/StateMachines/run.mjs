// Runs state machines in an interpreter that others wrote, against a small model of EC2, SSM and AWS Backup.
// Standard input: { definition, cases: [{ name, input, instances, faults, script, job }] }; standard output: a report a case.
import { StateMachine } from 'aws-local-stepfunctions';
import validate from 'asl-validator';
import { readFileSync } from 'node:fs';
import { World } from './world.mjs';

// The interpreter asks for Node 22 for this alone.
Promise.withResolvers ??= function () {
  const parts = {};
  parts.promise = new this((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
};

const { definition, cases } = JSON.parse(readFileSync(0, 'utf8'));

const states = machine => Object.entries(machine.States).flatMap(([name, state]) =>
  [[name, state], ...states(state.ItemProcessor ?? { States: {} })]);
const all = states(definition);
const zero = type => Object.fromEntries(all.filter(([, s]) => s.Type === type).map(([name]) => [name, 0]));
const checked = validate.default ? validate.default(definition) : validate(definition);
const machine = new StateMachine(definition, { validationOptions: { noValidate: true } });

const reports = [];
for (const test of cases) {
  const world = new World(test);
  const tasks = all.filter(([, s]) => s.Type === 'Task');
  const execution = machine.run(test.input, {
    overrides: {
      taskResourceLocalHandlers: Object.fromEntries(tasks.map(([name, s]) => [name, async input => world.call(name, s.Resource, input)])),
      waitTimeOverrides: zero('Wait'),
      retryIntervalOverrides: zero('Task'),
    },
    context: {
      Execution: { Id: 'arn:aws:states:eu-central-1:123456789012:execution:BackupWorkflow:test', Input: test.input },
      State: { EnteredTime: '2026-01-01T00:00:00.000Z' },
    },
  });
  const report = { name: test.name, succeeded: true };
  try {
    report.output = await execution.result;
  } catch (error) {
    const cause = error.cause ?? error;
    Object.assign(report, { succeeded: false, error: cause.name, message: cause.message });
  }
  reports.push({ ...report, ...world.report() });
}
process.stdout.write(JSON.stringify({ valid: checked.isValid, problems: checked.isValid ? [] : checked.errors ?? checked.errorsText?.(), reports }));
