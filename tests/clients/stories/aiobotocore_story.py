"""aiobotocore: many requests at once, pages, a refusal.

Run as: python aiobotocore_story.py URL. Credentials and region come from the environment.
"""

import asyncio
import sys

from aiobotocore.session import get_session


async def main() -> None:
    """Make a table, use it, drop it."""
    async with get_session().create_client("dynamodb", endpoint_url=sys.argv[1]) as client:
        await client.create_table(
            TableName="aio-orders",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
            BillingMode="PAY_PER_REQUEST",
        )
        await client.get_waiter("table_exists").wait(TableName="aio-orders")
        await asyncio.gather(*(
            client.put_item(TableName="aio-orders", Item={"id": {"N": str(n)}, "v": {"S": "x"}})
            for n in range(200)
        ))
        found = await asyncio.gather(*(
            client.get_item(TableName="aio-orders", Key={"id": {"N": str(n)}}) for n in range(200)
        ))
        assert [answer["Item"]["id"]["N"] for answer in found] == [str(n) for n in range(200)]
        count = 0
        async for page in client.get_paginator("scan").paginate(TableName="aio-orders", Limit=30):
            assert len(page["Items"]) <= 30
            count += len(page["Items"])
        assert count == 200
        try:
            await client.update_item(
                TableName="aio-orders", Key={"id": {"N": "1"}}, UpdateExpression="SET v = :v",
                ConditionExpression="v = :other",
                ExpressionAttributeValues={":v": {"S": "y"}, ":other": {"S": "z"}},
            )
        except client.exceptions.ConditionalCheckFailedException as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        else:
            raise AssertionError("the condition holds")
        await client.delete_table(TableName="aio-orders")
    print("aiobotocore: all is well")


asyncio.run(main())
