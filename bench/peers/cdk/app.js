// The stack of the seed by AWS's CDK: table, queue, and for each function log group, role and policy, alias, async
// settings. `node app.js OUTDIR [FUNCTIONS]` writes the template; FUNCTIONS (default 3) repeats the three stages.
const cdk = require('aws-cdk-lib');
const cloudwatch = require('aws-cdk-lib/aws-cloudwatch');
const dynamodb = require('aws-cdk-lib/aws-dynamodb');
const lambda = require('aws-cdk-lib/aws-lambda');
const logs = require('aws-cdk-lib/aws-logs');
const sqs = require('aws-cdk-lib/aws-sqs');

const [outdir, functions = '3'] = process.argv.slice(2);
// CloudFormation takes no more than 500 resources; what is measured is how the time grows.
const app = new cdk.App({ outdir, context: { '@aws-cdk/core:stackResourceLimit': 0 } });
const stack = new cdk.Stack(app, 'DataProcessing');
const table = new dynamodb.Table(stack, 'DataTable', {
  partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING },
  sortKey: { name: 'timestamp', type: dynamodb.AttributeType.NUMBER },
  billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
});
const queue = new sqs.Queue(stack, 'DeadLetterQueue', { retentionPeriod: cdk.Duration.days(14), enforceSSL: true });
const sizes = { Validator: 512, Enricher: 768, Processor: 512 };

for (let index = 0; index < Number(functions); index++) {
  const stage = Object.keys(sizes)[index % 3];
  const name = index < 3 ? stage : `${stage}${Math.floor(index / 3)}`;
  const logGroup = new logs.LogGroup(stack, `${name}LogGroup`, { retention: logs.RetentionDays.ONE_WEEK });
  const code = new lambda.Function(stack, `${name}Function`, {
    runtime: lambda.Runtime.PYTHON_3_13,
    architecture: lambda.Architecture.ARM_64,
    handler: `${stage.toLowerCase()}.handler`,
    code: lambda.Code.fromInline('def handler(event, context): return event'),
    memorySize: sizes[stage],
    timeout: cdk.Duration.seconds(60),
    tracing: lambda.Tracing.ACTIVE,
    deadLetterQueue: queue,
    environment: { TABLE_NAME: table.tableName },
    logGroup,
  });
  code.addAlias('live', { retryAttempts: 2 });
  if (stage === 'Processor') table.grant(code, 'dynamodb:PutItem');
}

new cloudwatch.Alarm(stack, 'DeadLetterAlarm', {
  metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }),
  threshold: 1,
  evaluationPeriods: 1,
});
cdk.Tags.of(stack).add('Project', 'DataProcessing');
cdk.Tags.of(stack).add('CostCenter', 'Engineering');
app.synth();
