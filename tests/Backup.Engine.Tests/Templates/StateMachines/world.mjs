// Instances that take their time, an agent that lags behind them, scripts and backup jobs that end as the test says.
// Shapes: the services' API references (EC2, SSM, AWS Backup), in the PascalCase of Step Functions' SDK integrations.
class Refusal extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

export class World {
  constructor({ instances = {}, faults = {}, script = {}, job = 'COMPLETED', counts = {} }) {
    this.instances = structuredClone(instances);
    for (const instance of Object.values(this.instances)) Object.assign(instance, { steps: 0, ping: '2025-12-31T00:00:00.000Z', tags: instance.tags ?? { 'backup-job': 'true' } });
    this.faults = structuredClone(faults);
    this.endings = script;
    this.job = job;
    this.counts = counts;
    this.commands = new Map();
    this.jobs = new Map();
    this.calls = [];
    this.problems = [];
  }

  report() {
    return {
      calls: this.calls,
      problems: this.problems,
      scripts: [...this.commands.values()].map(c => c.phase),
      jobs: this.jobs.size,
      instances: Object.fromEntries(Object.entries(this.instances).map(([id, i]) => [id, { state: i.state, tags: i.tags }])),
    };
  }

  call(state, resource, input) {
    const [service, operation] = resource.split(':').slice(-2);
    this.calls.push(state);
    const fault = this.faults[state];
    const strikes = fault && (fault.times === undefined || fault.times-- > 0);
    // The order was heard, and its answer was lost.
    if (strikes && fault.heard) this[operation](input, state);
    if (strikes) throw new Refusal(fault.error, 'scripted');
    return this[operation](input, state);
  }

  find(ids) {
    return ids.map(id => this.instances[id] ?? (() => { throw new Refusal('Ec2.Ec2Exception', `InvalidInstanceID.NotFound ${id}`); })());
  }

  describeAutoScalingInstances({ InstanceIds: [id] }) {
    return { AutoScalingInstances: this.instances[id].group ? [{ InstanceId: id, AutoScalingGroupName: this.instances[id].group }] : [] };
  }

  describeTags({ Filters }) {
    const value = name => Filters.find(f => f.Name === name).Values[0];
    return {
      Tags: Object.entries(this.instances).filter(([, i]) => i.tags[value('key')] === value('value'))
        .map(([id]) => ({ Key: value('key'), ResourceId: id, ResourceType: 'instance', Value: value('value') })),
    };
  }

  describeInstances({ InstanceIds }) {
    const [instance] = this.find(InstanceIds);
    this.move(instance);
    return {
      Reservations: [{
        Instances: [{
          InstanceId: InstanceIds[0],
          State: { Name: instance.state },
          RootDeviceType: instance.root ?? 'ebs',
          Tags: Object.entries(instance.tags).map(([Key, Value]) => ({ Key, Value })),
          ...(instance.lifecycle ? { InstanceLifecycle: instance.lifecycle } : {}),
        }],
      }],
    };
  }

  // Each look finds it a little further on; some never arrive.
  move(instance) {
    if (++instance.steps < 3 || instance.stuck === instance.state) return;
    if (instance.state === 'stopping') instance.state = 'stopped';
    if (instance.state === 'pending') instance.state = 'running';
  }

  createTags({ Resources, Tags }) {
    for (const instance of this.find(Resources)) for (const { Key, Value } of Tags) instance.tags[Key] = Value;
    return {};
  }

  deleteTags({ Resources, Tags }) {
    for (const instance of this.find(Resources)) for (const { Key } of Tags) delete instance.tags[Key];
    return {};
  }

  stopInstances({ InstanceIds }) {
    for (const [i, instance] of this.find(InstanceIds).entries()) {
      if ([...this.commands.values()].some(c => c.id === InstanceIds[i] && !c.over)) this.problems.push('stopped beneath a script');
      if (!instance.tags['AtlassianBackup:StoppedBy']) this.problems.push('stopped without a mark');
      if (instance.state === 'running') Object.assign(instance, { state: 'stopping', steps: 0, ping: '2025-12-31T00:00:00.000Z' });
    }
    return { StoppingInstances: [] };
  }

  startInstances({ InstanceIds }) {
    for (const instance of this.find(InstanceIds)) {
      if (instance.state === 'stopping') {
        // It stops in the end, however stuck it looked.
        if (++instance.steps > 5) instance.state = 'stopped';
        throw new Refusal('Ec2.Ec2Exception', 'IncorrectInstanceState');
      }
      if (instance.state === 'stopped') Object.assign(instance, { state: 'pending', steps: 0, agent: 0 });
    }
    return { StartingInstances: [] };
  }

  sendCommand({ InstanceIds, Parameters, TimeoutSeconds, DocumentName, OutputS3BucketName }, state) {
    const [id] = InstanceIds;
    const phase = state.replace('Send', '');
    if (this.instances[id].state !== 'running') throw new Refusal('Ssm.InvalidInstanceIdException', 'not running');
    if (DocumentName !== 'AWS-RunRemoteScript' || !Number.isInteger(TimeoutSeconds) || !OutputS3BucketName) this.problems.push('a command that SSM would refuse');
    if (!JSON.parse(Parameters.sourceInfo[0]).path.startsWith('https://')) this.problems.push('a source that SSM would refuse');
    for (const [name, value] of Object.entries(Parameters)) if (!Array.isArray(value) || value.some(v => typeof v !== 'string')) this.problems.push(`${name} is no list of strings`);
    const commandId = `command-${this.commands.size}`;
    this.commands.set(commandId, { phase, id, polls: 0, over: false });
    return { Command: { CommandId: commandId, Status: 'Pending' } };
  }

  listCommandInvocations({ CommandId }) {
    const command = this.commands.get(CommandId);
    const end = this.endings[command.phase] ?? 'Success';
    const status = command.polls++ === 0 ? null : command.polls < 4 || end === 'never' ? 'InProgress' : end;
    command.over = status !== null && status !== 'InProgress';
    // In the first seconds there is nothing.
    return { CommandInvocations: status === null ? [] : [{ CommandId, Status: status, StatusDetails: status === 'TimedOut' ? 'ExecutionTimedOut' : status }] };
  }

  cancelCommand({ CommandId }) {
    this.commands.get(CommandId).over = true;
    return {};
  }

  // Online for a while after the stop, with a report of the time before.
  describeInstanceInformation({ Filters: [{ Values: [id] }] }) {
    const instance = this.instances[id];
    if (instance.state === 'running' && !instance.mute && (instance.agent = (instance.agent ?? 0) + 1) > 2) instance.ping = '2026-01-01T00:05:00.000Z';
    return { InstanceInformationList: [{ InstanceId: id, PingStatus: 'Online', LastPingDateTime: instance.ping }] };
  }

  startBackupJob({ ResourceArn, IdempotencyToken, BackupVaultName, IamRoleArn }) {
    const instance = this.instances[ResourceArn.split('/').pop()];
    if (instance.state !== 'running' && instance.state !== 'stopped') this.problems.push(`backed up while ${instance.state}`);
    if (!BackupVaultName || !IamRoleArn) this.problems.push('a job that AWS Backup would refuse');
    this.jobs.set(IdempotencyToken, { polls: 0 });
    return { BackupJobId: IdempotencyToken, CreationDate: '2026-01-01T00:00:00Z' };
  }

  describeBackupJob({ BackupJobId }) {
    const job = this.jobs.get(BackupJobId);
    const state = job.polls++ < 2 || this.job === 'never' ? 'RUNNING' : this.job;
    return { State: state, PercentDone: '10.0', ...(state === 'COMPLETED' ? { MessageCategory: 'SUCCESS' } : {}), ...(state === 'FAILED' ? { StatusMessage: 'scripted' } : {}) };
  }

  describeMapRun() {
    const { Status = 'SUCCEEDED', ...counts } = this.counts;
    return { Status, ItemCounts: { Pending: 0, Running: 0, Succeeded: 0, Failed: 0, TimedOut: 0, Aborted: 0, Total: 40, ResultsWritten: 40, ...counts } };
  }

  publish() {
    return { MessageId: '1' };
  }
}
