const { DynamoDBClient, PutItemCommand } = require('@aws-sdk/client-dynamodb');
const dynamodb = new DynamoDBClient({ region: 'us-east-1' });

exports.handler = async (event) => {
  try {
    const params = {
      TableName: process.env.TABLE_NAME,
      Item: {
        id: { S: event.id },
        timestamp: { N: Date.now().toString() },
        data: { S: JSON.stringify(event.data) }
      }
    };
    await dynamodb.send(new PutItemCommand(params));
    return { statusCode: 200, body: 'Success' };
  } catch (error) {
    console.error('Error processing data:', error);
    throw error; // Will be sent to DLQ
  }
};
