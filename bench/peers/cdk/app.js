// The same stack by AWS's CDK: `node app.js OUTDIR FUNCTIONS.json` writes the template. FUNCTIONS.json has of each
// function what our template says of it; for each there is a log group, a policy, a role, the right to hand on, the
// function with its version, alias and asynchronous settings, a filter of its log, and its alarms.
const fs = require('fs');
const cdk = require('aws-cdk-lib');
const actions = require('aws-cdk-lib/aws-cloudwatch-actions');
const cloudwatch = require('aws-cdk-lib/aws-cloudwatch');
const destinations = require('aws-cdk-lib/aws-lambda-destinations');
const dynamodb = require('aws-cdk-lib/aws-dynamodb');
const iam = require('aws-cdk-lib/aws-iam');
const lambda = require('aws-cdk-lib/aws-lambda');
const logs = require('aws-cdk-lib/aws-logs');
const sns = require('aws-cdk-lib/aws-sns');
const sqs = require('aws-cdk-lib/aws-sqs');

const [outdir, description] = process.argv.slice(2);
// CloudFormation takes no more than 500 resources; what is measured is how the time grows.
const app = new cdk.App({ outdir, context: { '@aws-cdk/core:stackResourceLimit': 0 } });
const stack = new cdk.Stack(app, 'DataProcessing');
const table = new dynamodb.Table(stack, 'DataTable', {
  partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING },
  sortKey: { name: 'timestamp', type: dynamodb.AttributeType.NUMBER },
  billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
});
const queue = new sqs.Queue(stack, 'DeadLetterQueue', { retentionPeriod: cdk.Duration.days(14), enforceSSL: true });
const topic = new actions.SnsAction(new sns.Topic(stack, 'AlarmTopic'));

function allow(actions, resource) {
  return new iam.PolicyStatement({ actions, resources: [resource] });
}

function stage({ name, properties, filters, alarms }, next) {
  const logGroup = new logs.LogGroup(stack, `${name}LogGroup`, {
    retention: logs.RetentionDays.ONE_WEEK,
    removalPolicy: cdk.RemovalPolicy.DESTROY,
  });
  const policy = new iam.ManagedPolicy(stack, `${name}Policy`, {
    statements: [
      allow(['logs:CreateLogStream', 'logs:PutLogEvents'], logGroup.logGroupArn),
      allow(['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], '*'),
      allow(['sqs:SendMessage'], queue.queueArn),
      allow(['dynamodb:PutItem'], table.tableArn),
    ],
  });
  const role = new iam.Role(stack, `${name}Role`, {
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    managedPolicies: [policy],
  });
  if (next) {
    new iam.ManagedPolicy(stack, `${name}HandsOn`, {
      roles: [role],
      statements: [allow(['lambda:InvokeFunction'], next.functionArn)],
    });
  }
  const code = new lambda.Function(stack, `${name}Function`, {
    runtime: lambda.Runtime.PYTHON_3_13,
    architecture: lambda.Architecture.ARM_64,
    handler: properties.Handler,
    code: lambda.Code.fromInline('def handler(event, context): return event'),
    memorySize: properties.MemorySize,
    timeout: cdk.Duration.seconds(properties.Timeout),
    role: role.withoutPolicyUpdates(),
    tracing: lambda.Tracing.ACTIVE,
    deadLetterQueue: queue,
    environment: { TABLE_NAME: table.tableName, DEAD_LETTER_QUEUE_URL: queue.queueUrl },
    loggingFormat: lambda.LoggingFormat.JSON,
    logGroup,
  });
  const live = code.addAlias('live', {
    retryAttempts: properties.EventInvokeConfig.MaximumRetryAttempts,
    ...(next ? { onSuccess: new destinations.LambdaDestination(next) } : {}),
  });
  const counted = {};
  for (const { FilterPattern, MetricTransformations: [{ MetricName }] } of filters) {
    counted[MetricName] = new logs.MetricFilter(stack, MetricName, {
      logGroup,
      filterPattern: logs.FilterPattern.literal(FilterPattern),
      metricNamespace: stack.stackName,
      metricName: MetricName,
    });
  }
  for (const described of alarms) {
    alarm(`${name}${described.MetricName}Alarm`, described, counted[described.MetricName] ?? live);
  }
  return live;
}

function alarm(id, { AlarmDescription, MetricName, EvaluationPeriods, Threshold }, watched) {
  const settings = { statistic: 'Sum', period: cdk.Duration.minutes(1) };
  const created = new cloudwatch.Alarm(stack, id, {
    alarmDescription: AlarmDescription,
    metric: watched instanceof logs.MetricFilter ? watched.metric(settings) : watched.metric(MetricName, settings),
    evaluationPeriods: EvaluationPeriods,
    threshold: Threshold,
    comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
  });
  created.addAlarmAction(topic);
  created.addOkAction(topic);
}

// From the last to the first, since each names the one that it hands its results to.
const built = {};
for (const described of JSON.parse(fs.readFileSync(description)).reverse()) {
  built[described.name] = stage(described, built[described.next]);
}
new cloudwatch.Alarm(stack, 'DeadLetterAlarm', {
  metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }),
  threshold: 1,
  evaluationPeriods: 1,
});
cdk.Tags.of(stack).add('Project', 'DataProcessing');
cdk.Tags.of(stack).add('CostCenter', 'Engineering');
app.synth();
