// The AWS SDK for JavaScript, version 3: plain and document client, pages, waiters, refusals.
// Run as: node sdk_story.mjs URL. Credentials and region come from the environment.
import assert from "node:assert/strict";
import {
  ConditionalCheckFailedException, CreateTableCommand, DeleteTableCommand, DynamoDBClient,
  ResourceNotFoundException, TransactionCanceledException, waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import {
  BatchWriteCommand, DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand,
  TransactWriteCommand, UpdateCommand, paginateScan,
} from "@aws-sdk/lib-dynamodb";

const client = new DynamoDBClient({ endpoint: process.argv[2], region: "eu-west-1" });
const documents = DynamoDBDocumentClient.from(client);
const TableName = "sdk-orders";

await client.send(new CreateTableCommand({
  TableName,
  KeySchema: [
    { AttributeName: "customer", KeyType: "HASH" }, { AttributeName: "ts", KeyType: "RANGE" },
  ],
  AttributeDefinitions: [
    { AttributeName: "customer", AttributeType: "S" }, { AttributeName: "ts", AttributeType: "N" },
  ],
  BillingMode: "PAY_PER_REQUEST",
}));
await waitUntilTableExists({ client, maxWaitTime: 60 }, { TableName });

const item = {
  customer: "ada", ts: 1, total: 9.5, raw: new Uint8Array([0, 255]), none: null, yes: true,
  tags: new Set(["a", "b"]), list: [1, "two", { three: 3 }], text: "é€😀",
};
await documents.send(new PutCommand({ TableName, Item: item }));
const got = await documents.send(new GetCommand({ TableName, Key: { customer: "ada", ts: 1 } }));
assert.deepEqual(got.Item, item);

for (let start = 2; start < 52; start += 25) {
  await documents.send(new BatchWriteCommand({ RequestItems: { [TableName]:
    Array.from({ length: 25 }, (_, n) => ({
      PutRequest: { Item: { customer: "ada", ts: start + n, n: 1 } },
    })),
  } }));
}
let count = 0;
for await (const page of paginateScan({ client: documents, pageSize: 7 }, { TableName })) {
  assert.ok(page.Items.length <= 7);
  count += page.Items.length;
}
assert.equal(count, 51);
const newest = await documents.send(new QueryCommand({
  TableName, KeyConditionExpression: "customer = :c AND ts > :t", ScanIndexForward: false, Limit: 3,
  ExpressionAttributeValues: { ":c": "ada", ":t": 10 }, ReturnConsumedCapacity: "TOTAL",
}));
assert.deepEqual(newest.Items.map((row) => row.ts), [51, 50, 49]);
assert.equal(newest.ConsumedCapacity.CapacityUnits, 0.5);
const updated = await documents.send(new UpdateCommand({
  TableName, Key: { customer: "ada", ts: 1 }, UpdateExpression: "SET #t = #t + :n",
  ExpressionAttributeNames: { "#t": "total" }, ExpressionAttributeValues: { ":n": 1 },
  ReturnValues: "UPDATED_NEW",
}));
assert.deepEqual(updated.Attributes, { total: 10.5 });

await assert.rejects(
  documents.send(new PutCommand({
    TableName, Item: { customer: "ada", ts: 1 }, ConditionExpression: "attribute_not_exists(ts)",
  })),
  (error) => error instanceof ConditionalCheckFailedException,
);
await assert.rejects(
  documents.send(new GetCommand({ TableName: "sdk-nothing", Key: { a: 1 } })),
  (error) => error instanceof ResourceNotFoundException,
);
await assert.rejects(
  documents.send(new TransactWriteCommand({ TransactItems: [
    { Put: { TableName, Item: { customer: "bob", ts: 1 } } },
    { ConditionCheck: {
      TableName, Key: { customer: "eve", ts: 1 }, ConditionExpression: "attribute_exists(ts)",
    } },
  ] })),
  (error) => error instanceof TransactionCanceledException
    && error.CancellationReasons[1].Code === "ConditionalCheckFailed",
);
await client.send(new DeleteTableCommand({ TableName }));
console.log("javascript: all is well");
